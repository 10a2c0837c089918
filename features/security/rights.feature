Feature: The driver needs few rights
  Whoever finds the credentials of the driver's account on the array gets volumes, and not the cluster: no nodes, no
  drives, no administrators. Every scenario of this suite runs with such an account; this one says so.

  @req:R-170 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario: A backup is made, restored and deleted without a right to anything else
    Given backups are kept on S3
    And the driver's account on the array has no right but to volumes and to whom they belong
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    When a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken
    When the snapshot "nightly" is deleted
    Then the backup of "nightly" is gone

  @req:R-170 @capability:snapshot-primary @capability:revert
  Scenario: A snapshot is taken, gone back to and deleted without a right to anything else
    Given the driver's account on the array has no right but to volumes and to whom they belong
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    And the guest of "database" is shut down
    When the volume "database" is reverted to snapshot "nightly"
    Then the volume "database" is what it was when "nightly" was taken
