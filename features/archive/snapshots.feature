Feature: A snapshot on the array that is moved to secondary storage
  What was taken in haste and kept on the array can be archived later. It is the same snapshot afterwards, at another place;
  and until the copy is complete and recorded, the array's snapshot is the only one there is.

  @req:R-012 @req:R-072 @req:R-073 @req:R-182 @capability:archive @capability:snapshot-secondary @capability:accounting
  @capability:audit-events @capability:usage-events
  Scenario Outline: An archived snapshot is the same snapshot at another place
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" keeps writing
    And a snapshot "tuesday" of "database" on PRIMARY
    And an hour passes
    When the snapshot "monday" is archived
    Then the snapshot "monday" is BackedUp on SECONDARY
    And all that has changed is 1 fewer array snapshot and 1 more backup
    And the array snapshot of "monday" is gone
    And the backup of "monday" holds what was on the disk when it was taken
    And the account is charged 0 more snapshots
    And the account is charged for the bytes that lie on secondary storage
    And the act is audited as SNAPSHOT.ARCHIVE and nothing else
    And each array snapshot was reported once when it came and once when it went
    And "monday" is billed without gap or overlap, on PRIMARY and then on SECONDARY
    And "tuesday" is billed without gap or overlap, on PRIMARY

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-012 @capability:archive @capability:snapshot-secondary @capability:parent-kept
  Scenario: The LUN that was kept for one array snapshot goes when that one is archived
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" is shut down
    And the volume "database" has been deleted
    When the snapshot "monday" is archived
    Then the snapshot "monday" is BackedUp on SECONDARY
    And the backup of "monday" holds what was on the disk when it was taken
    And the array holds the LUN of "database" no longer

  @req:R-013 @capability:archive @capability:snapshot-secondary @capability:accounting
  Scenario: What is on secondary storage already cannot be archived
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    When the snapshot "monday" is archived
    Then the act is refused, saying "already"
    And all that has changed is nothing
    And the account is charged 0 more snapshots
    And the driver lists the snapshot "monday" as BackedUp

  @req:R-093 @capability:archive @capability:snapshot-secondary @capability:volume-from-primary @capability:accounting
  @fault
  Scenario Outline: An archive that fails leaves the snapshot on the array as usable as before
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" keeps writing
    And every call <call> meets the fault <fault>
    When the snapshot "monday" is archived
    Then the act is refused
    When everything is repaired
    And the driver is restarted
    Then all that has changed is nothing
    And the driver lists the snapshot "monday" as BackedUp
    And the driver lists "monday" on PRIMARY and nowhere else
    And the account is charged 0 more snapshots
    And the account is charged for the bytes that lie on secondary storage
    When a volume "yesterday" is made from snapshot "monday"
    Then the volume "yesterday" holds what was on the disk when "monday" was taken
    When the snapshot "monday" is deleted
    Then the driver lists no snapshot "monday"

    Examples:
      | store | call                                | fault                         |
      | NFS   | array.CloneVolume                   | refused:xExceededLimit        |
      | NFS   | array.AddVolumesToVolumeAccessGroup | lost_before                   |
      | NFS   | host.Async.VDI.copy                 | refused:SR_BACKEND_FAILURE_44 |
      | NFS   | nfs.rename                          | refused:ENOSPC                |
      | S3    | s3.PutObject                        | lost_before                   |
      | S3    | s3.PutObject                        | refused:AccessDenied          |

  @req:R-012 @capability:archive @capability:snapshot-secondary @capability:reconcile @crash
  Scenario Outline: Killed while archiving, the driver has one whole snapshot after a restart
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" keeps writing
    And the call <call> meets the fault <fault>
    When the snapshot "monday" is archived
    Then the driver has died
    When the driver is restarted
    Then the driver lists the snapshot "monday" as BackedUp
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                   | fault        |
      | array.CloneVolume#1    | crash_after  |
      | host.Async.VDI.copy#1  | crash_after  |
      | nfs.rename#1           | crash_after  |
      | array.DeleteSnapshot#1 | crash_before |
      | array.DeleteSnapshot#1 | crash_after  |
