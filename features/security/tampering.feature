Feature: A copy that is no longer what was written is not restored
  Between backup and restore lie years and many hands. Whatever the store says of a copy, its bytes are held against what
  was recorded when it was written, before anything is made for it.

  @req:R-164 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario Outline: A copy with <damage> is refused before anything is made
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    And the backup of "nightly" has <damage>
    And calls are counted from here
    When a volume "restored" is made from snapshot "nightly"
    Then the act is refused
    And the array was asked to make nothing
    When everything is repaired
    And a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken

    Examples:
      | store | damage                 |
      | NFS   | a flipped bit          |
      | NFS   | a cut end              |
      | NFS   | a false header         |
      | NFS   | an absurd virtual size |
      | S3    | a flipped bit          |
      | S3    | a cut end              |
      | S3    | a false header         |
      | S3    | an absurd virtual size |

  @req:R-164 @capability:snapshot-secondary @capability:volume-from-secondary @capability:verification @capability:alerts
  Scenario Outline: A copy with <damage> is told of before anybody wants it back
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And the backup of "monday" has <damage>
    When 30 days pass, and each day the driver does what is due
    Then an alert about "monday" says "damage"
    And no alert was raised about "tuesday"
    And the driver lists the snapshot "monday" as BackedUp

    Examples:
      | store | damage        |
      | NFS   | a flipped bit |
      | S3    | a cut end     |
