Feature: A backup that is cancelled
  Backups take long, and people change their minds. Whoever cancels is heard soon, and nothing is left of what was begun.

  @req:R-039 @capability:cancel @capability:snapshot-secondary @capability:accounting
  Scenario Outline: A backup that is cancelled while it runs leaves nothing
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And at the call <call>, the act is cancelled
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused, saying "cancelled"
    And the act was over 60 seconds after somebody else had asked
    And all that has changed is nothing
    And the driver lists the snapshot "nightly" as Error
    And nothing is left behind on hosts, access groups and staging
    And the account is charged 0 more snapshots

    Examples:
      | store | call                                  |
      | NFS   | array.CloneVolume#1                   |
      | NFS   | array.GetAsyncResult#1                |
      | NFS   | array.AddVolumesToVolumeAccessGroup#1 |
      | NFS   | host.Async.VDI.copy#1                 |
      | NFS   | host.task.get_status#1                |
      | S3    | host.task.get_status#1                |

  @req:R-039 @capability:cancel @capability:archive @capability:snapshot-secondary @capability:accounting
  Scenario: An archive that is cancelled leaves the snapshot on the array
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And at the call host.task.get_status#1, the act is cancelled
    When the snapshot "monday" is archived
    Then the act is refused, saying "cancelled"
    And the act was over 60 seconds after somebody else had asked
    And all that has changed is nothing
    And the driver lists the snapshot "monday" as BackedUp
    And the driver lists "monday" on PRIMARY and nowhere else

  @req:R-039 @capability:cancel @capability:async-backup @capability:snapshot-secondary @capability:usage-events @fault
  Scenario: A background backup that is cancelled between two tries is kept on the array
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the call host.Async.VDI.copy#1 meets the fault refused:SR_BACKEND_FAILURE_44
    When a snapshot "nightly" of "database" is taken in the background
    And the driver works off what is due
    And the backup of "nightly" is cancelled
    And the driver works off what is due
    Then the driver lists the snapshot "nightly" as BackedUp
    And the driver lists "nightly" on PRIMARY and nowhere else
    And "nightly" is billed without gap or overlap, on PRIMARY
    And nothing is left behind on hosts, access groups and staging
