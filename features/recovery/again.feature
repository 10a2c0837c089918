Feature: A second attempt after a failure
  Whatever failed has let go of everything on its way out: the same can be asked for again at once, by the same driver in
  the same life.

  @req:R-085 @capability:snapshot-primary @capability:snapshot-secondary @capability:archive @fault
  Scenario Outline: After a failed archive the same snapshot is archived
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    And the guest of "database" writes on
    And every call <call> meets the fault <fault>
    When the snapshot "nightly" is archived
    Then the act is refused
    When everything is repaired
    And the snapshot "nightly" is archived
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And the backup of "nightly" holds what was on the disk when it was taken
    And the array snapshot of "nightly" is gone
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples: at each step
      | call                                | fault                         |
      | array.CloneVolume                   | refused:xExceededLimit        |
      | array.GetAsyncResult                | refused:xPermissionDenied     |
      | array.AddVolumesToVolumeAccessGroup | refused:xExceededLimit        |
      | host.SR.create                      | refused:SR_BACKEND_FAILURE_47 |
      | host.PBD.plug                       | refused:SR_BACKEND_FAILURE_47 |
      | host.Async.VDI.copy                 | refused:SR_BACKEND_FAILURE_44 |
      | nfs.open                            | refused:EACCES                |
      | nfs.rename                          | refused:ENOSPC                |

  @req:R-085 @capability:snapshot-primary @capability:volume-from-primary @fault
  Scenario Outline: After a failed deletion or restore the same snapshot is deleted or restored
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    And the guest of "database" writes on
    And every call <call> meets the fault <fault>
    When <it is asked for>
    Then the act is refused
    When everything is repaired
    And <it is asked for>
    Then <end>
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                 | fault                         | it is asked for                                      | end                                                                      |
      | array.DeleteSnapshot | refused:xPermissionDenied     | the snapshot "nightly" is deleted                    | the array snapshot of "nightly" is gone                                  |
      | array.CloneVolume    | refused:xExceededLimit        | a volume "yesterday" is made from snapshot "nightly" | the volume "yesterday" holds what was on the disk when "nightly" was taken |
      | host.PBD.plug        | refused:SR_BACKEND_FAILURE_47 | a volume "yesterday" is made from snapshot "nightly" | the volume "yesterday" holds what was on the disk when "nightly" was taken |
