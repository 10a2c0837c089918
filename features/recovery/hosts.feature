Feature: A host that dies while it copies takes no backup with it
  A dead host leaves half a file, forgets its mounts and its tasks, and says nothing. The driver looks, cleans up and goes
  on with a host that lives, or says that it could not.

  @req:R-079 @req:R-086 @capability:snapshot-secondary @capability:reconcile @fault
  Scenario Outline: A host that dies in the middle of a copy leaves a whole backup or none
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And the call <call> meets the fault refused:<death>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    And everything is repaired
    And the driver is restarted
    Then the driver lists the snapshot "nightly" as BackedUp or Error
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples: it comes back by itself
      | store | call                   | death     |
      | NFS   | host.task.get_status#1 | HOST_DIES |
      | S3    | host.task.get_status#1 | HOST_DIES |
      | NFS   | host.PBD.plug#1        | HOST_DIES |
      | NFS   | host.SR.forget#1       | HOST_DIES |

    Examples: its power is gone until somebody restores it
      | store | call                   | death     |
      | NFS   | host.task.get_status#1 | POWER_CUT |
      | S3    | host.task.get_status#1 | POWER_CUT |
      | NFS   | host.Async.VDI.copy#1  | POWER_CUT |

  @req:R-086 @capability:snapshot-secondary @capability:reconcile @fault
  Scenario Outline: A host that dies while it restores leaves a whole volume or none
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And a snapshot "nightly" of "database" on SECONDARY
    And the call <call> meets the fault refused:<death>
    When a volume "restored" is made from snapshot "nightly"
    And everything is repaired
    And the driver is restarted
    Then the driver lists the snapshot "nightly" as BackedUp
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                   | death     |
      | host.task.get_status#1 | HOST_DIES |
      | host.task.get_status#1 | POWER_CUT |
