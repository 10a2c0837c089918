Feature: Several people who want something at the same time
  What one caller has begun is not disturbed by what another asks for meanwhile: he is served, or told to wait.

  @req:R-051 @capability:snapshot-secondary @capability:accounting
  Scenario Outline: Two snapshots of one volume at once are two, each of its own moment
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And at the call array.CreateSnapshot#1, somebody else takes a snapshot "other" of "database" on <location>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And the other caller has what he asked for
    And the driver lists the snapshot "other" as BackedUp
    And the driver lists the snapshot "nightly" as BackedUp
    And the backup of "nightly" holds what was on the disk when it was taken
    And all that has changed is <changes>
    And the account is charged 2 more snapshots

    Examples:
      | location  | changes                                 |
      | PRIMARY   | 1 more array snapshot and 1 more backup |
      | SECONDARY | 2 more backup                           |

  @req:R-052 @req:R-038 @capability:snapshot-secondary @capability:accounting
  Scenario Outline: A snapshot that is being backed up is neither deleted nor moved
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And at the call <call>, somebody else <asks> the snapshot "nightly"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the other caller is refused
    And the snapshot "nightly" is BackedUp on SECONDARY
    And the backup of "nightly" holds what was on the disk when it was taken
    And all that has changed is 1 more backup
    And the account is charged 1 more snapshot

    Examples:
      | call                   | asks     |
      | array.CloneVolume#1    | deletes  |
      | host.task.get_status#1 | deletes  |
      | nfs.rename#1           | deletes  |
      | array.CloneVolume#1    | archives |
      | host.task.get_status#1 | archives |

  @req:R-023 @req:R-092 @capability:volume-from-primary @capability:volume-from-secondary @capability:snapshot-secondary
  @capability:snapshot-primary
  Scenario Outline: A snapshot from which a volume is being made is not deleted
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on <location>
    And the guest of "database" writes on
    And at the call <call>, somebody else deletes the snapshot "nightly"
    When a volume "yesterday" is made from snapshot "nightly"
    Then the other caller is refused
    And the driver lists the snapshot "nightly" as BackedUp
    And the volume "yesterday" holds what was on the disk when "nightly" was taken

    Examples:
      | location  | call                   |
      | PRIMARY   | array.CloneVolume#1    |
      | PRIMARY   | array.ModifyVolume#1   |
      | SECONDARY | array.CreateVolume#1   |
      | SECONDARY | host.task.get_status#1 |
      | SECONDARY | nfs.open#1             |

  @req:R-092 @capability:volume-from-primary @capability:volume-from-secondary @capability:snapshot-secondary
  @capability:snapshot-primary @fault
  Scenario Outline: Failing to make a volume does not harm the snapshot
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on <location>
    And the guest of "database" writes on
    And every call <call> meets the fault <fault>
    When a volume "yesterday" is made from snapshot "nightly"
    Then the act is refused
    When everything is repaired
    And the driver is restarted
    Then the driver lists the snapshot "nightly" as BackedUp
    And all that has changed is nothing
    When a volume "again" is made from snapshot "nightly"
    Then the volume "again" holds what was on the disk when "nightly" was taken

    Examples:
      | location  | call                | fault                         |
      | PRIMARY   | array.CloneVolume   | refused:xExceededLimit        |
      | PRIMARY   | host.PBD.plug       | refused:SR_BACKEND_FAILURE_47 |
      | SECONDARY | array.CreateVolume  | lost_before                   |
      | SECONDARY | host.Async.VDI.copy | refused:SR_BACKEND_FAILURE_44 |
