Feature: Secondary storage of every make is used in its own way
  A backup is a file on NFS or an object in a bucket, whichever the site has. A bucket is addressed in the path or in the
  host's name, and each request is signed as S3 has it today.

  @req:R-121 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario: Backups are kept on NFS
    Given backups are kept on NFS
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the backup of "nightly" holds what was on the disk when it was taken
    When a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken
    When the snapshot "nightly" is deleted
    Then the backup of "nightly" is gone

  @req:R-121 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario Outline: Backups of <size> MiB are kept in a bucket that is addressed by <part>
    Given backups are kept on S3
    And the bucket is addressed by <part>
    And a volume "database" of <size> MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the backup of "nightly" holds what was on the disk when it was taken
    When a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken
    When the snapshot "nightly" is deleted
    Then the backup of "nightly" is gone

    Examples:
      | part | size |
      | path | 3    |
      | host | 3    |
