Feature: Copies that do not end, mounts that go stale, space that runs out
  A copy belongs to the host that makes it. Whoever gives it up ends it there; what stands in its way is cleared away, or
  told in words that name it.

  @req:R-088 @capability:snapshot-secondary @capability:accounting @fault
  Scenario Outline: A copy that runs into its time limit is stopped where it runs
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And from now on the copies of the hosts go on for ever
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And the act was over within 48 hours
    And nothing is left behind on hosts, access groups and staging
    And the driver lists the snapshot "nightly" as Error
    And all that has changed is nothing
    And the account is charged 0 more snapshots

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-091 @capability:snapshot-secondary @fault
  Scenario Outline: A stale mount on a host is mounted anew, or named
    Given backups are kept on NFS
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the call <call> meets the fault refused:MOUNTS_STALE
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the backup of "nightly" has succeeded, or the error names the stale mount of host 1
    When a snapshot "next" of "database" is taken on SECONDARY
    Then the snapshot "next" is BackedUp on SECONDARY
    And the backup of "next" holds what was on the disk when it was taken
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                  |
      | host.SR.create#2      |
      | host.Async.VDI.copy#1 |

  @req:R-091 @capability:snapshot-secondary @capability:volume-from-secondary @fault
  Scenario: A stale mount on a host does not stop a restore either
    Given backups are kept on NFS
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    And the call host.Async.VDI.copy#1 meets the fault refused:MOUNTS_STALE
    And the guest of "database" writes on
    When a volume "yesterday" is made from snapshot "nightly"
    Then the volume "yesterday" has been made, or the error names the stale mount of host 1
    When a volume "again" is made from snapshot "nightly"
    Then the volume "again" holds what was on the disk when "nightly" was taken
    And all that has changed is 1 more array volume
    And the backup of "nightly" is there, whole
    And nothing is left behind on hosts, access groups and staging

  @req:R-042 @capability:snapshot-secondary @capability:accounting @capability:alerts @fault
  Scenario Outline: Storage that fills up in the middle of a copy makes the snapshot fail cleanly and audibly
    Given backups are kept on <store>
    And a volume "database" of 12 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And a snapshot "kept" of "database" on SECONDARY
    And the export has room for half of the copy of "kept"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And the driver lists the snapshot "nightly" as Error
    And one alert was raised about "nightly"
    And all that has changed is nothing
    And the account is charged 0 more snapshots
    And the account is charged for the bytes that lie on secondary storage
    And nothing is left behind on hosts, access groups and staging
    And every backup that the driver lists is there, whole

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-042 @capability:snapshot-secondary @capability:async-backup @capability:alerts @capability:accounting @fault
  Scenario: Storage that stays full is told of once, however often the backup is tried
    Given a volume "database" of 12 MiB
    And a guest has written to "database"
    And a snapshot "kept" of "database" on SECONDARY
    And the export has room for half of the copy of "kept"
    When a snapshot "nightly" of "database" is taken in the background
    And the driver works for 3 hours
    Then the driver lists the snapshot "nightly" as Error
    And one alert was raised about "nightly"
    And all that has changed is nothing
    And the account is charged 0 more snapshots
