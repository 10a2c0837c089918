Feature: A driver that dies is taken up where it died
  Whatever was under way when the process was killed is finished or taken back by the next life. Nothing is orphaned,
  nothing is made twice, and the volume's own row is never touched.

  @req:R-081 @req:R-086 @capability:snapshot-secondary @capability:reconcile @crash
  Scenario Outline: Killed at any boundary of a backup, the driver ends it after a restart
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the driver has died
    When the driver is restarted
    Then the driver lists the snapshot "nightly" as BackedUp or Error
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples: on NFS
      | store | call                                  | fault        |
      | NFS   | catalog.commit#1                      | crash_after  |
      | NFS   | array.CreateSnapshot#1                | crash_before |
      | NFS   | array.CreateSnapshot#1                | crash_after  |
      | NFS   | array.CloneVolume#1                   | crash_before |
      | NFS   | array.CloneVolume#1                   | crash_after  |
      | NFS   | array.AddVolumesToVolumeAccessGroup#1 | crash_after  |
      | NFS   | host.SR.create#1                      | crash_after  |
      | NFS   | host.PBD.plug#1                       | crash_after  |
      | NFS   | host.Async.VDI.copy#1                 | crash_before |
      | NFS   | host.Async.VDI.copy#1                 | crash_after  |
      | NFS   | nfs.rename#1                          | crash_before |
      | NFS   | nfs.rename#1                          | crash_after  |
      | NFS   | catalog.commit#10                     | crash_before |
      | NFS   | catalog.commit#10                     | crash_after  |
      | NFS   | array.DeleteVolume#1                  | crash_after  |
      | NFS   | array.DeleteSnapshot#1                | crash_before |
      | NFS   | array.DeleteSnapshot#1                | crash_after  |

    Examples: on S3
      | store | call            | fault        |
      | S3    | s3.PutObject#1  | crash_before |
      | S3    | s3.PutObject#1  | crash_after  |
      | S3    | s3.HeadObject#1 | crash_before |

  @req:R-081 @capability:snapshot-secondary @capability:reconcile @crash
  Scenario Outline: Killed while deleting, the driver has deleted after a restart
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And the call <call> meets the fault <fault>
    When the snapshot "monday" is deleted
    Then the driver has died
    When the driver is restarted
    Then the backup of "monday" is gone
    And the volume "database" is untouched

    Examples:
      | call         | fault        |
      | nfs.delete#1 | crash_before |
      | nfs.delete#1 | crash_after  |

  @req:R-141 @capability:async-backup @capability:snapshot-secondary @capability:reconcile @crash
  Scenario: A restart with many snapshots on the way recovers quickly, and does not overrun the array
    Given 4 volumes with guests
    And 12 snapshots of these volumes are on their way to SECONDARY
    And calls are counted from here
    When the driver is restarted against the clock
    Then all of them are BackedUp or Error
    And the restart took at most 5 minutes
    And never more than 500 calls of the array were made in a second
