Feature: What an account may have
  Limits are checked for what a snapshot will use and for nothing else, and the refusal names the limit.

  @req:R-065 @capability:accounts @capability:accounting @capability:snapshot-primary
  Scenario: A snapshot beyond the number that an account may have
    Given a volume "database" of 3 MiB
    And the account may have 1 snapshots
    And a snapshot "monday" of "database" on PRIMARY
    When a snapshot "tuesday" of "database" is taken on PRIMARY
    Then the act is refused by the limit "snapshot"
    And all that has changed is nothing
    When the snapshot "monday" is deleted
    And a snapshot "tuesday" of "database" is taken on PRIMARY
    Then the snapshot "tuesday" is BackedUp on PRIMARY

  @req:R-065 @capability:accounts @capability:accounting @capability:snapshot-primary @capability:snapshot-secondary
  Scenario Outline: A place that is full stops only what goes there
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the account may have <number> MiB on <kind> storage
    When a snapshot "nightly" of "database" is taken on <full>
    Then the act is refused by the limit "<limit>"
    And all that has changed is nothing
    When a snapshot "nightly" of "database" is taken on <free>
    Then the snapshot "nightly" is BackedUp on <free>

    Examples:
      | kind      | number | full      | free      | limit             |
      | primary   | 4      | PRIMARY   | SECONDARY | primary_storage   |
      | secondary | 2      | SECONDARY | PRIMARY   | secondary_storage |

  @req:R-162 @capability:snapshot-primary
  Scenario: A name that is too long is refused, and the limit told
    Given a volume "database" of 3 MiB
    When a snapshot of "database" is taken with a name of 256 letters
    Then the act is refused as the caller's mistake, saying "255"
    And all that has changed is nothing
    When a snapshot of "database" is taken with a name of 255 letters
    Then the act has succeeded
    And the driver lists 1 snapshots with a name of 255 letters

  @req:R-162 @capability:policies @capability:accounts
  Scenario Outline: A policy that keeps nothing is refused
    Given a volume "database" of 3 MiB
    When a policy of "database" that keeps <number> snapshots is wanted
    Then the act is refused as a parameter error
    And "team-blue" is shown 1 volumes, 0 snapshots and 0 policies
    When a policy of "database" that keeps 1 snapshots is wanted
    Then the act has succeeded
    And "team-blue" is shown 1 volumes, 0 snapshots and 1 policies

    Examples:
      | number |
      | 0      |
      | -1     |

  @req:R-185 @capability:accounts @capability:accounting @capability:policies @capability:snapshot-primary @capability:snapshot-secondary
  Scenario: Deleting an account ends its bill and removes its copies
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And the guest of "database" is shut down
    And a DAILY policy "daily" of "database" at "0:4" in UTC, keeping 2, on PRIMARY
    And an hour passes
    When the account is deleted
    Then the act has succeeded
    And nothing of the account is left anywhere
    And nothing is left behind on hosts, access groups and staging

  @req:R-185 @capability:accounts @capability:accounting @capability:reconcile @capability:snapshot-primary @capability:snapshot-secondary @fault
  Scenario Outline: A deletion of an account that is interrupted is finished
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And the guest of "database" is shut down
    And an hour passes
    And the call <call> meets the fault <fault>
    When the account is deleted
    And everything is repaired
    And the driver is restarted
    Then nothing of the account is left anywhere

    Examples:
      | call                   | fault        |
      | array.DeleteSnapshot#1 | crash_before |
      | array.DeleteSnapshot#1 | crash_after  |
      | array.DeleteSnapshot#1 | refused:xPermissionDenied |
