Feature: Backups are encrypted at rest where the site wants it
  A store encrypts with keys of its own management when it is told to, object by object. The record of a copy names the
  key, so that whoever ends the key's life knows what ends with it.

  @req:R-166 @capability:encryption @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario Outline: A backup of <size> MiB is encrypted with the site's key, and restored
    Given backups are kept on S3
    And the bucket encrypts with the key "key-of-2026"
    And a volume "database" of <size> MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the backup of "nightly" is encrypted with the key "key-of-2026", and its record says so
    When a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken

    Examples:
      | size |
      | 3    |
      | 200  |

  @req:R-166 @capability:encryption @capability:snapshot-secondary @fault
  Scenario: A key is recorded although the answer of the store was lost
    Given backups are kept on S3
    And the bucket encrypts with the key "key-of-2026"
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    And the call s3.PutObject#1 meets the fault lost_after
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the backup of "nightly" is encrypted with the key "key-of-2026", and its record says so
