Feature: A snapshot that stays on the array
  Managed storage takes snapshots by itself, at once and without copying. Where nobody asks for more, that is the snapshot.

  @req:R-001 @capability:snapshot-primary @capability:accounting
  Scenario: A snapshot without a location is kept on the array
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    When a snapshot "nightly" of "database" is taken
    Then the snapshot "nightly" is BackedUp on PRIMARY
    And all that has changed is 1 more array snapshot
    And the account is charged 1 more snapshot

  @req:R-001 @capability:snapshot-primary @fault
  Scenario Outline: A lost answer of the array makes no second snapshot
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the call array.CreateSnapshot#1 meets the fault <fault>
    When a snapshot "nightly" of "database" is taken
    Then the snapshot "nightly" is BackedUp on PRIMARY
    And all that has changed is 1 more array snapshot

    Examples:
      | fault       |
      | lost_before |
      | lost_after  |
      | refused     |
