Feature: Arrays of every release are worked with
  Clusters live for years, and their API is spoken in versions. A driver uses what every version promises, ignores what
  it does not know and does without what may be missing.

  @req:R-120 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario Outline: A backup is made, restored and deleted on an array of version <version>
    Given backups are kept on NFS
    And the array's API goes up to version <version>
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the backup of "nightly" holds what was on the disk when it was taken
    When a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken
    When the snapshot "nightly" is deleted
    Then the backup of "nightly" is gone

    Examples:
      | version |
      | 7.0     |
      | 8.0     |
      | 9.0     |
      | 10.0    |
      | 11.0    |
      | 12.0    |

  @req:R-120 @capability:snapshot-primary @capability:volume-from-primary @fault
  Scenario Outline: An answer that is lost makes no second clone on an array of version <version>
    Given the array's API goes up to version <version>
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    And the call array.CloneVolume#1 meets the fault lost_after
    When a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken

    Examples:
      | version |
      | 7.0     |
      | 9.0     |
