Feature: A volume that is deleted while snapshots of it live
  Array snapshots live on the LUN of their volume; backups do not. A user deletes the volume, never the snapshots with it.

  @req:R-024 @capability:parent-kept @capability:snapshot-primary
  Scenario: The LUN outlives its volume until the last array snapshot goes
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on PRIMARY
    And the guest of "database" is shut down
    When the volume "database" is deleted
    Then the array still holds the LUN of "database"
    When the snapshot "monday" is deleted
    Then the array still holds the LUN of "database"
    And all that has changed is 1 fewer array snapshot
    When the snapshot "tuesday" is deleted
    Then the array holds the LUN of "database" no longer

  @req:R-024 @capability:parent-kept @capability:volume-from-primary @capability:snapshot-primary
  Scenario: A snapshot of a deleted volume can still be restored
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" is shut down
    And the volume "database" has been deleted
    When a volume "yesterday" is made from snapshot "monday"
    Then the volume "yesterday" holds what was on the disk when "monday" was taken

  @req:R-025 @capability:snapshot-secondary
  Scenario: The LUN of a volume that has backups only is deleted with it
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And the guest of "database" is shut down
    When the volume "database" is deleted
    Then the array holds the LUN of "database" no longer
    And the backup of "monday" is there, whole

  @req:R-024 @req:R-025 @capability:parent-kept @capability:pools @capability:snapshot-primary
  @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario: Of a volume that was moved to another pool, each LUN goes with the last array snapshot of its own
    Given there are 2 storage pools
    And on the pool primary-1, a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "carried" of "database" on SECONDARY
    And the guest of "database" is shut down
    When a volume "moved" is made from snapshot "carried" on the pool primary-2
    Then the volume "moved" is on the pool primary-2
    Given a snapshot "tuesday" of "moved" on PRIMARY
    And the volume "database" has been deleted
    And the volume "moved" has been deleted
    When the snapshot "monday" is deleted
    Then the array holds the LUN of "database" no longer
    And the array still holds the LUN of "moved"
    When the snapshot "tuesday" is deleted
    Then the array holds the LUN of "moved" no longer
    And the backup of "carried" is there, whole
