Feature: What could not be ended at once
  A job that cannot end is not forgotten. It is on record, somebody is alerted, and the driver tries again by itself, every
  hour, without a restart; and collecting waste never costs anybody a good copy.

  @req:R-082 @capability:reconcile @capability:snapshot-secondary @fault
  Scenario Outline: What is on the way is brought to its end by the next run
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And a snapshot "tuesday" of "database" on PRIMARY
    And every call <call> meets the fault <fault>
    And beside it every call <other> meets <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And the driver lists the snapshot "nightly" as <resting>
    When everything is repaired
    And the driver works for 1 hours
    Then the driver lists the snapshot "nightly" as Error
    And all that has changed is nothing
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                | other                | fault       | resting    |
      | array.CloneVolume   | array.ListVolumes    | lost_before | BackingUp  |
      | host.Async.VDI.copy | array.DeleteSnapshot | lost_before | BackingUp  |

  @req:R-082 @capability:reconcile @capability:archive @capability:snapshot-secondary @fault
  Scenario Outline: An archive that fails before a byte is copied leaves no copy on the way for ever
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And every call <call> meets the fault <fault>
    When the snapshot "monday" is archived
    Then the act is refused
    When everything is repaired
    And the driver works for 1 hours
    Then the driver lists the snapshot "monday" as BackedUp
    And the driver lists "monday" on PRIMARY and nowhere else
    When the snapshot "monday" is deleted
    Then the driver lists no snapshot "monday"
    And all that has changed is 1 fewer array snapshot

    Examples:
      | call                                | fault                  |
      | array.CloneVolume                   | refused:xExceededLimit |
      | array.AddVolumesToVolumeAccessGroup | lost_before            |

  @req:R-082 @req:R-087 @capability:reconcile @capability:snapshot-secondary @capability:alerts @fault
  Scenario Outline: A backup whose store is out of reach is not called deleted, and goes when the store is back
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And every call <call> meets the fault lost_before
    When the snapshot "monday" is deleted
    Then the act is refused
    And the driver lists the snapshot "monday" as Destroying or BackedUp
    And the backup of "monday" is still there, whole
    And an alert about "monday" says "could not clean up yet"
    When everything is repaired
    And the driver works for 1 hours
    Then no snapshot is called "monday" any more
    And the backup of "monday" is gone

    Examples:
      | store | call            |
      | NFS   | nfs.delete      |
      | S3    | s3.DeleteObject |

  @req:R-083 @capability:archive @capability:snapshot-secondary @capability:reconcile @fault
  Scenario: Collecting an array copy that is being destroyed leaves the backup alone
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And every call array.DeleteSnapshot meets the fault refused:xPermissionDenied
    And the snapshot "monday" has been archived
    When the driver works for 2 hours
    Then the driver lists "monday" on PRIMARY and SECONDARY
    And the backup of "monday" is still there, whole
    When everything is repaired
    And the driver works for 2 hours
    Then the driver lists "monday" on SECONDARY and nowhere else
    And the array snapshot of "monday" is gone
    And the backup of "monday" is still there, whole

  @req:R-084 @capability:snapshot-secondary @capability:reconcile @fault
  Scenario: A failed snapshot is not forgotten before what it left is gone
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And every call host.Async.VDI.copy meets the fault refused:SR_BACKEND_FAILURE_44
    And beside it every call array.DeleteSnapshot meets lost_before
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    When the snapshot of the name "nightly" is deleted
    Then the act is refused
    And no snapshot of the name "nightly" is forgotten
    When everything is repaired
    And the driver works for 1 hours
    And the snapshot of the name "nightly" is deleted
    Then no snapshot is called "nightly" any more
    And the array holds no snapshot of "database"
    And nothing is left behind on hosts, access groups and staging
