Feature: What is asked for twice
  Answers are lost and requests sent again; people call two things by one name. The first is one thing, the second two.

  @req:R-053 @capability:snapshot-secondary @capability:accounting
  Scenario: Two snapshots of one name are two
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    And the guest of "database" writes on
    When another snapshot "second" of "database" is taken on SECONDARY, named "nightly"
    Then all that has changed is 1 more backup
    And the driver lists 2 snapshots called "nightly"
    And the backup of "nightly" is there, whole
    And the backup of "second" holds what was on the disk when it was taken
    And the account is charged 1 more snapshot
    When the snapshot "second" is deleted
    Then the backup of "nightly" is there, whole
    And the driver lists 1 snapshots called "nightly"

  @req:R-095 @capability:snapshot-secondary @capability:accounting @capability:audit-events
  Scenario Outline: An operation that is sent again is not done again
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    When a snapshot "nightly" of "database" is taken on <location>
    And the same is asked for again
    Then all that has changed is nothing
    And the snapshot "nightly" is BackedUp on <location>
    And the driver lists 1 snapshots called "nightly"
    And the account is charged 0 more snapshots
    And the act is audited as SNAPSHOT.CREATE and nothing else

    Examples:
      | location  |
      | PRIMARY   |
      | SECONDARY |
