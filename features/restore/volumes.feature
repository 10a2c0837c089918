Feature: A volume made from a snapshot
  A snapshot is worth what can be made of it. From the array that is a clone with an identity of its own; from secondary
  storage it is a new disk, filled.

  @req:R-014 @req:R-165 @capability:volume-from-primary @capability:snapshot-primary
  Scenario: A volume from an array snapshot is a clone that hosts accept beside its parent
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    And the guest of "database" writes on
    When a volume "yesterday" is made from snapshot "nightly"
    Then the volume "yesterday" holds what was on the disk when "nightly" was taken
    And all that has changed is 1 more array volume
    And nothing is left behind on hosts, access groups and staging
    And the volume "yesterday" has 500 to 2000 IOPS
    And the volume "yesterday" is a clone of its own on the array
    And the volume "database" is untouched

  @req:R-016 @req:R-165 @capability:volume-from-secondary @capability:snapshot-secondary
  Scenario Outline: A volume from a backup has the bytes of its moment and the IOPS of its offering
    Given backups are kept on <store>
    And a volume "database" of 3146240 bytes
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    And the guest of "database" writes on
    When a volume "yesterday" is made from snapshot "nightly"
    Then the volume "yesterday" holds what was on the disk when "nightly" was taken
    And all that has changed is 1 more array volume
    And nothing is left behind on hosts, access groups and staging
    And the volume "yesterday" has 500 to 2000 IOPS
    And the backup of "nightly" is there, whole

    Examples:
      | store |
      | NFS   |
      | S3    |
