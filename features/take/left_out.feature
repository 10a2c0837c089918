Feature: What is deliberately not done
  A copy is whole and needs no other. What arrays could do on their own account (groups, replication, snapshots that end
  by themselves) is not used: nobody who asks the driver would know of it.

  @req:R-035 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario: Whatever came before it, each backup is a full one
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And the guest of "database" writes on
    And a snapshot "tuesday" of "database" on SECONDARY
    And the guest of "database" writes on
    When a snapshot "wednesday" of "database" is taken on SECONDARY
    Then the backup of "wednesday" opens alone, with the size of "database"
    And the backup of "tuesday" opens alone, with the size of "database"
    When the snapshot "monday" is deleted
    Then the backup of "tuesday" is there, whole
    When the snapshot "tuesday" is deleted
    Then the backup of "wednesday" is there, whole
    When a volume "restored" is made from snapshot "wednesday"
    Then the volume "restored" holds what was on the disk when "wednesday" was taken

  @req:R-036 @capability:snapshot-primary
  Scenario: A snapshot on the array is a single one that stays until it is deleted
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken
    And a snapshot "weekly" of "database" is taken on PRIMARY
    Then the array was never asked for a snapshot in a group, for replication or with an end of its own

  @req:R-036 @capability:snapshot-secondary
  Scenario: Nor is the array snapshot that a backup is made of anything else
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the array was never asked for a snapshot in a group, for replication or with an end of its own
