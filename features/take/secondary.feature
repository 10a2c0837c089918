Feature: A snapshot that is backed up to secondary storage
  What CloudStack promises of every snapshot: that it outlives the array. The array's own snapshot is only the way there.

  @req:R-002 @req:R-003 @req:R-004 @capability:snapshot-secondary @capability:accounting
  Scenario Outline: A backup is whole, alone, and what the disk was when the snapshot was taken
    Given backups are kept on <store>
    And a volume "database" of <size>
    And a guest has written to "database"
    And the guest of "database" keeps writing
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And all that has changed is 1 more backup
    And the backup of "nightly" opens alone, with the size of "database"
    And the backup of "nightly" holds what was on the disk when it was taken
    And the backup of "nightly" lies under the account and the volume
    And the account is charged 1 more snapshot
    And the account is charged for the bytes that lie on secondary storage

    Examples:
      | store | size           |
      | NFS   | 3 MiB          |
      | S3    | 3 MiB          |
      | NFS   | 5243392 bytes  |
      | S3    | 18875392 bytes |

  @req:R-002 @req:R-003 @capability:snapshot-secondary
  Scenario: A second backup stands beside the first and repeats nothing of it
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And a snapshot "monday" of "database" on SECONDARY
    And the guest of "database" writes on
    When a snapshot "tuesday" of "database" is taken on SECONDARY
    Then all that has changed is 1 more backup
    And the backup of "monday" is there, whole
    And the backup of "tuesday" holds what was on the disk when it was taken

  @req:R-005 @capability:snapshot-secondary
  Scenario Outline: Backups of one name lie side by side, each at a path of its own
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    And the guest of "database" writes on
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And all that has changed is 1 more backup
    And the backup of "nightly" lies under the account and the volume
    And every backup that the driver lists is there, whole

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-002 @req:R-026 @capability:snapshot-secondary
  Scenario: A detached volume is backed up like an attached one
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And all that has changed is 1 more backup
    And the backup of "nightly" holds what was on the disk when it was taken

  @req:R-005 @capability:snapshot-secondary
  Scenario Outline: Every backup lies at a path of its own, whatever the things are called
    Given backups are kept on <store>
    And a volume "<volume>" of 3 MiB
    And a guest has written to "<volume>"
    When a snapshot "<snapshot>" of "<volume>" is taken on SECONDARY
    Then the backup of "<snapshot>" lies under the account and the volume
    And all that has changed is 1 more backup
    When a snapshot "again" of "<volume>" is taken on SECONDARY
    Then the backup of "again" lies under the account and the volume
    And all that has changed is 1 more backup
    And the backup of "<snapshot>" is there, whole

    Examples:
      | store | volume         | snapshot          |
      | NFS   | database       | nightly           |
      | S3    | database       | nightly           |
      | NFS   | ../../etc      | ../../../shadow   |
      | S3    | ../../etc      | ../../../shadow   |
      | NFS   | a/b*?[c]       | *.vhd             |
      | S3    | a/b*?[c]       | *.vhd             |
      | NFS   | /root          | ~ $(id) `id` %00  |
      | S3    | ?uploads&x=y#z | %2e%2e%2f+ü 💾    |
