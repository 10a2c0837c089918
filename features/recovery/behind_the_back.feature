Feature: What somebody else does to the array
  Administrators delete things by hand. A driver that meets a gap says so and goes on; it never takes a neighbour for what
  it looks for.

  @req:R-056 @capability:snapshot-primary @capability:accounting @capability:alerts
  Scenario: A snapshot whose array copy is gone can still be deleted
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on PRIMARY
    And somebody else has deleted the array snapshot of "monday"
    When the snapshot "monday" is deleted
    Then the driver lists no snapshot "monday"
    And all that has changed is nothing
    And the account is charged 1 fewer snapshot
    And an alert about "monday" says "already gone"
    And the driver lists the snapshot "tuesday" as BackedUp

  @req:R-056 @capability:snapshot-primary @capability:alerts @fault
  Scenario: What the driver itself has deleted is no surprise to it
    Given a volume "database" of 3 MiB
    And a snapshot "monday" of "database" on PRIMARY
    And the call array.DeleteSnapshot#1 meets the fault lost_after
    When the snapshot "monday" is deleted
    Then the driver lists no snapshot "monday"
    And no alert was raised about "monday"

  @req:R-057 @capability:snapshot-primary
  Scenario Outline: A LUN that is gone is not taken for its neighbour
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a volume "other" of 3 MiB
    And a guest has written to "other"
    And the guest of "database" is shut down
    And somebody else has deleted the LUN of "database"
    When a snapshot "nightly" of "database" is taken on <location>
    Then the act is refused
    And all that has changed is nothing
    And the volume "other" is untouched
    When the volume "database" is deleted
    Then the volume "other" is untouched
    And all that has changed is nothing

    Examples:
      | location  |
      | PRIMARY   |
      | SECONDARY |
