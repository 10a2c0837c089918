Feature: A backup that nobody waits for
  With asyncbackup the caller has his answer as soon as the array has its snapshot. The copy goes on behind it, is tried
  again when it fails, and is given up audibly; what is billed and charged follows what has really happened.

  @req:R-011 @req:R-094 @capability:async-backup @capability:snapshot-secondary @capability:accounting
  @capability:usage-events
  Scenario Outline: The caller waits for the array's snapshot only
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    When a snapshot "nightly" of "database" is taken in the background
    Then the driver lists the snapshot "nightly" as BackingUp
    And all that has changed is 1 more array snapshot
    And nothing is billed for "nightly"
    And the account is charged for the bytes that lie on secondary storage
    When the driver works off what is due
    Then the driver lists the snapshot "nightly" as BackedUp
    And all that has changed is 1 more backup
    And the backup of "nightly" holds what was on the disk when it was taken
    And the account is charged 1 more snapshot
    And the account is charged for the bytes that lie on secondary storage
    And "nightly" is billed without gap or overlap, on SECONDARY

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-080 @req:R-094 @capability:async-backup @capability:snapshot-secondary @capability:usage-events @capability:alerts
  @fault
  Scenario: A backup that keeps failing is really tried again, and then given up audibly
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And every call host.Async.VDI.copy meets the fault refused:SR_BACKEND_FAILURE_44
    When a snapshot "nightly" of "database" is taken in the background
    And the driver works for 3 hours
    Then the driver lists the snapshot "nightly" as Error
    And the call array.CloneVolume was made 4 times, after pauses that grew
    And one alert was raised about "nightly"
    And all that has changed is nothing
    And nothing is billed for "nightly"
    And the account is charged 0 more snapshots

  @req:R-080 @capability:async-backup @capability:snapshot-secondary @capability:alerts @fault
  Scenario: A backup that fails once succeeds at its next try
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the call host.Async.VDI.copy#1 meets the fault refused:SR_BACKEND_FAILURE_44
    When a snapshot "nightly" of "database" is taken in the background
    And the driver works for 1 hours
    Then the driver lists the snapshot "nightly" as BackedUp
    And all that has changed is 1 more backup
    And the backup of "nightly" holds what was on the disk when it was taken

  @req:R-011 @capability:async-backup @capability:snapshot-secondary @capability:reconcile @crash
  Scenario Outline: Killed while it backs up in the background, the driver goes on after a restart
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken in the background
    And the driver dies at what is due
    And the driver is restarted
    Then the driver lists the snapshot "nightly" as BackedUp
    And all that has changed is 1 more backup
    And every backup that the driver lists is there, whole
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                  | fault        |
      | array.CloneVolume#1   | crash_after  |
      | host.Async.VDI.copy#1 | crash_before |
      | nfs.rename#1          | crash_after  |
