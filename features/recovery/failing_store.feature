Feature: A store that keeps failing
  Whoever asks a broken store again and again makes it no better, and keeps everybody waiting. It is left alone for a
  while, and then tried again.

  @req:R-043 @capability:snapshot-secondary @fault
  Scenario Outline: It is left alone after 30 failures in a row, and used again when it is well
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And every call <call> meets the fault <fault>
    When backups of "database" are asked for until <call> was made 30 times
    And backups of "database" are asked for 20 times more
    Then the call <call> was made at most 5 times more
    When everything is repaired
    And a day has passed
    And a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | store | call         | fault       |
      | S3    | s3.PutObject | lost_before |
      | NFS   | nfs.rename   | lost_before |
