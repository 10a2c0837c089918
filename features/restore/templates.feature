Feature: A template made from a snapshot
  A template is a disk of its own on secondary storage. It has the bytes of the snapshot, wherever that is kept, and
  outlives it; making it leaves nothing on the array.

  @req:R-017 @capability:templates @capability:snapshot-primary @capability:snapshot-secondary
  Scenario Outline: A template has the bytes of its snapshot, and machines start from it
    Given backups are kept on <store>
    And a volume "database" of 3146240 bytes
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on <location>
    And the guest of "database" keeps writing
    When a template "golden" is made from snapshot "nightly"
    Then the template "golden" holds what was on the disk when "nightly" was taken
    And all that has changed is 1 more backup
    And the snapshot "nightly" is BackedUp on <location>
    And nothing is left behind on hosts, access groups and staging
    When a volume "clone" is made from template "golden"
    Then all that has changed is 1 more array volume
    And a machine that starts on "clone" reads what was on the disk when "nightly" was taken

    Examples:
      | store | location  |
      | NFS   | PRIMARY   |
      | NFS   | SECONDARY |
      | S3    | PRIMARY   |
      | S3    | SECONDARY |

  @req:R-017 @capability:templates @capability:snapshot-secondary @capability:accounting
  Scenario: A template outlives its snapshot, and goes alone
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And a template "golden" of snapshot "monday"
    And a template "silver" of snapshot "tuesday"
    When the snapshot "monday" is deleted
    Then all that has changed is 1 fewer backup
    And the template "golden" holds what was on the disk when "monday" was taken
    When the template "golden" is deleted
    Then the template "golden" is gone
    And all that has changed is 1 fewer backup
    And the template "silver" holds what was on the disk when "tuesday" was taken
    And the backup of "tuesday" is there, whole
    And the account is charged for the bytes that lie on secondary storage

  @req:R-017 @req:R-023 @capability:templates @capability:snapshot-primary @capability:snapshot-secondary
  Scenario Outline: A snapshot from which a template is being made is not deleted
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on <location>
    And the guest of "database" writes on
    And at the call <call>, somebody else deletes the snapshot "nightly"
    When a template "golden" is made from snapshot "nightly"
    Then the other caller is refused
    And the driver lists the snapshot "nightly" as BackedUp
    And the template "golden" holds what was on the disk when "nightly" was taken

    Examples:
      | location  | call                  |
      | PRIMARY   | array.CloneVolume#1   |
      | PRIMARY   | host.Async.VDI.copy#1 |
      | SECONDARY | nfs.open#1            |

  @req:R-017 @req:R-092 @capability:templates @capability:snapshot-primary @capability:snapshot-secondary @fault
  Scenario Outline: Failing to make a template harms nothing
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on <location>
    And the guest of "database" writes on
    And every call <call> meets the fault <fault>
    When a template "golden" is made from snapshot "nightly"
    Then the act is refused
    When everything is repaired
    And the driver is restarted
    Then the driver lists the snapshot "nightly" as BackedUp
    And all that has changed is nothing
    When a template "again" is made from snapshot "nightly"
    Then the template "again" holds what was on the disk when "nightly" was taken

    Examples:
      | store | location  | call                | fault                         |
      | NFS   | PRIMARY   | array.CloneVolume   | refused:xExceededLimit        |
      | NFS   | PRIMARY   | host.Async.VDI.copy | refused:SR_BACKEND_FAILURE_44 |
      | NFS   | SECONDARY | nfs.create          | refused:ENOSPC                |
      | S3    | SECONDARY | s3.PutObject        | refused                       |
