Feature: Texts from outside
  What callers write is kept as they wrote it, and is never read as anything else: not as SQL, not as a number, not as a
  piece of the program.

  @req:R-161 @capability:snapshot-primary
  Scenario Outline: A name with the metacharacters of SQL is kept unchanged
    Given a volume "database" of 3 MiB
    And a snapshot "other" of "database" on PRIMARY
    When another snapshot "odd" of "database" is taken on PRIMARY, named "<name>"
    Then the act has succeeded
    And all that has changed is 1 more array snapshot
    And the driver lists 1 snapshots called "<name>"
    And the driver lists the snapshot "other" as BackedUp
    When the snapshot "odd" is deleted
    Then the driver lists 0 snapshots called "<name>"
    And all that has changed is 1 fewer array snapshot
    And the driver lists the snapshot "other" as BackedUp

    Examples:
      | name                                |
      | '; DELETE FROM snapshots; --        |
      | %' OR '1'='1                        |
      | a_b%c                               |
      | :name $1 ? %s {0}                   |
      | /* comment */ # and another         |
      | ´`ʼ＇                               |

  @req:R-064 @capability:snapshot-primary
  Scenario Outline: An id that can be none is the caller's mistake
    Given a volume "database" of 3 MiB
    And a snapshot "nightly" of "database" on PRIMARY
    When somebody asks to <act> of the id "<written>"
    Then the refusal is the caller's mistake, without a trace of the program
    And all that has changed is nothing
    And the driver lists the snapshot "nightly" as BackedUp

    Examples:
      | act                 | written                      |
      | delete the snapshot | -1                           |
      | delete the snapshot | 1                            |
      | delete the snapshot | 99999999999999999999999999   |
      | delete the snapshot | nightly                      |
      | delete the snapshot | ' OR ''='                    |
      | take a snapshot     | -1                           |
      | take a snapshot     | ../../etc/passwd             |
      | delete the volume   | 0x7f                         |

  @req:R-168 @capability:snapshot-primary @capability:accounting @capability:audit-events @capability:archive
  Scenario: A message that comes again does nothing again
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken on PRIMARY
    And the same is asked for again
    Then all that has changed is nothing
    And the account is charged 0 more snapshots
    And the act is audited as SNAPSHOT.CREATE and nothing else
    When the snapshot "nightly" is archived
    And the same is asked for again
    Then all that has changed is nothing
    And the account is charged 0 more snapshots
    And the driver lists 1 snapshots called "nightly"
    When the snapshot "nightly" is deleted
    And the same is asked for again
    Then all that has changed is nothing
    And the account is charged 0 more snapshots
