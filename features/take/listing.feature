Feature: What is told of snapshots
  Whoever lists snapshots learns where each is and what it weighs there; whoever bills them is told once.

  @req:R-029 @capability:snapshot-primary @capability:snapshot-secondary
  Scenario: Each snapshot is listed with its location and its physical size
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And a snapshot "wednesday" of "database" on PRIMARY
    When a snapshot "thursday" of "database" is taken on SECONDARY
    Then each snapshot is listed with the physical size that it has at its location
    And narrowed to PRIMARY, the driver lists monday, wednesday
    And narrowed to SECONDARY, the driver lists tuesday, thursday

  @req:R-181 @capability:usage-events @capability:snapshot-primary @capability:snapshot-secondary
  Scenario Outline: A snapshot is reported once when it comes and once when it goes, with place and size
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken on <location>
    And the snapshot "nightly" is deleted
    Then "nightly" was reported once as created and once as deleted, on <location>, with its size
    And nothing is billed for "nightly" any more

    Examples:
      | location  |
      | PRIMARY   |
      | SECONDARY |

  @req:R-184 @capability:usage-events @capability:snapshot-primary @capability:snapshot-secondary @capability:archive
  Scenario: The time of copies on the array is summed up, whatever became of their snapshots
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "kept" of "database" on PRIMARY
    And an hour passes
    And a snapshot "moved" of "database" on PRIMARY
    And a snapshot "going" of "database" on PRIMARY
    And an hour passes
    When a snapshot "nightly" of "database" is taken on SECONDARY
    And the snapshot "moved" is archived
    And the snapshot "going" is deleted
    Then the array copy of "kept" is summed up with 2 hours and goes on
    And the array copy of "moved" is summed up with 1 hours and has ended
    And the array copy of "going" is summed up with 1 hours and has ended
    And the array copy of "nightly" is summed up with 0 hours and has ended
