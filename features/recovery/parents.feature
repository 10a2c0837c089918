Feature: The parent volume survives whatever happens to its backup
  A driver that cleans up by a remembered id deletes the original when the clone never came to be. The data is gone then.

  @req:R-077 @req:R-079 @req:R-086 @capability:snapshot-secondary @fault @capability:accounting
  Scenario Outline: A clone that the array refuses costs the backup, never the parent
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the array refuses every CloneVolume with <error>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the volume "database" is untouched
    And the act is refused
    And all that has changed is nothing
    And the driver lists the snapshot "nightly" as Error
    And the account is charged 0 more snapshots
    And nothing is left behind on hosts, access groups and staging

    Examples: errors that pass by themselves
      | error                        |
      | xDBVersionMismatch           |
      | xMaxClonesPerVolumeExceeded  |
      | xMaxClonesPerNodeExceeded    |
      | xSliceNotRegistered          |
      | xNotReadyForIO               |
      | xNotPrimary                  |
      | xMaxSnapshotsPerNodeExceeded |

    Examples: errors after which nobody knows
      | error               |
      | xDBConnectionLoss   |
      | xRecvTimeout        |
      | xDBOperationTimeout |
      | xSnapshotFailed     |
      | xRpcTimeout         |

    Examples: errors that stay
      | error                            |
      | xVolumeIDDoesNotExist            |
      | xSnapshotIDDoesNotExist          |
      | xAccountIDDoesNotExist           |
      | xUnknownAccount                  |
      | xExceededLimit                   |
      | xInvalidParameter                |
      | xInvalidAPIParameter             |
      | xInvalidParameterType            |
      | xMaxSnapshotsPerVolumeExceeded   |
      | xVolumeAccessGroupIDDoesNotExist |
      | xInitiatorExists                 |
      | xInitiatorDoesNotExist           |
      | xAlreadyInVolumeAccessGroup      |
      | xNotInVolumeAccessGroup          |
      | xDBNoSuchPath                    |
      | xUnrecognizedEnumString          |
      | xPermissionDenied                |
      | xUnauthorized                    |

  @req:R-079 @req:R-086 @capability:snapshot-secondary @fault
  Scenario Outline: A failure behind the array snapshot leaves nothing of it
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And every call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And the volume "database" is untouched
    When everything is repaired
    And the driver is restarted
    Then the driver lists the snapshot "nightly" as Error
    And all that has changed is nothing
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                                | fault                         |
      | array.AddVolumesToVolumeAccessGroup | refused:xExceededLimit        |
      | host.SR.introduce                   | refused:SR_BACKEND_FAILURE_47 |
      | host.PBD.plug                       | refused:SR_BACKEND_FAILURE_47 |
      | host.Async.VDI.copy                 | refused:SR_BACKEND_FAILURE_44 |
      | host.task.get_status                | lost_before                   |
      | nfs.rename                          | refused:ENOSPC                |
      | nfs.open                            | refused:ESTALE                |

  @req:R-079 @req:R-086 @capability:snapshot-secondary @capability:reconcile @fault
  Scenario Outline: A backup stands although its leftovers cannot be cleared yet, and they are cleared later
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And every call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    When everything is repaired
    And the driver is restarted
    Then all that has changed is 1 more backup
    And the backup of "nightly" is there, whole
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                                     | fault                     |
      | array.DeleteSnapshot                     | refused:xNotReadyForIO    |
      | array.DeleteVolume                       | lost_before               |
      | array.PurgeDeletedVolume                 | refused:xPermissionDenied |
      | array.RemoveVolumesFromVolumeAccessGroup | lost_before               |
      | nfs.delete_directory                     | refused:ESTALE            |
