Feature: A snapshot that is deleted
  Deleted means gone, from every place where its bytes were; and nothing but that one snapshot is gone.

  @req:R-020 @capability:snapshot-primary @capability:accounting
  Scenario: Deleting a snapshot on the array removes that very snapshot
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on PRIMARY
    When the snapshot "monday" is deleted
    Then the driver lists no snapshot "monday"
    And the array snapshot of "monday" is gone
    And all that has changed is 1 fewer array snapshot
    And the account is charged 1 fewer snapshot
    And the driver lists the snapshot "tuesday" as BackedUp

  @req:R-021 @capability:snapshot-secondary @capability:accounting
  Scenario Outline: Deleting a backup removes that very file and no sibling
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And a snapshot "tuesday" of "database" on SECONDARY
    When the snapshot "monday" is deleted
    Then the driver lists no snapshot "monday"
    And the backup of "monday" is gone
    And the backup of "tuesday" is there, whole
    And all that has changed is 1 fewer backup
    And the account is charged 1 fewer snapshot
    And the account is charged for the bytes that lie on secondary storage

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-022 @capability:archive @capability:snapshot-secondary @capability:accounting @fault
  Scenario: A snapshot that still has a copy at both places loses both, or keeps both listed
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And every call array.DeleteSnapshot meets the fault refused:xPermissionDenied
    And the snapshot "monday" has been archived
    When the snapshot "monday" is deleted
    Then the act is refused
    And all that has changed is nothing
    And the driver lists "monday" on PRIMARY and SECONDARY
    And the backup of "monday" is still there, whole
    When everything is repaired
    And the snapshot "monday" is deleted
    Then the driver lists no snapshot "monday"
    And all that has changed is 1 fewer array snapshot and 1 fewer backup
    And the account is charged 1 fewer snapshot
    And the account is charged for the bytes that lie on secondary storage
    And the backup of "tuesday" is there, whole
