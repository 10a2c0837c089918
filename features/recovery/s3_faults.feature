Feature: A backup in a bucket survives whatever the store and the way to it do
  Parts fail, answers are lost, content is damaged on its way, in the store or on the way back. A driver tries again and
  ends with a whole backup, or says that it failed and leaves nothing: no object, no open upload, no orphan.

  @req:R-089 @capability:snapshot-secondary @fault
  Scenario Outline: What passes by itself costs nothing but time
    Given backups are kept on S3
    And a volume "database" of 128 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And all that has changed is 1 more backup
    And the backup of "nightly" holds what was on the disk when it was taken
    And nothing is left behind on hosts, access groups and staging

    Examples: a part that fails
      | call            | fault                 |
      | s3.UploadPart#1 | refused               |
      | s3.UploadPart#2 | refused:InternalError |
      | s3.UploadPart#2 | http500_after         |
      | s3.UploadPart#2 | lost_before           |
      | s3.UploadPart#1 | hang_after            |

    Examples: a store that is too busy
      | call                         | fault            |
      | s3.CreateMultipartUpload#1   | refused:SlowDown |
      | s3.CompleteMultipartUpload#1 | refused:SlowDown |
      | s3.HeadObject#1              | refused:SlowDown |
      | s3.GetObject#1               | refused:SlowDown |
      | s3.GetObject#2               | error_after      |

    Examples: an answer that nobody hears
      | call                         | fault      |
      | s3.CreateMultipartUpload#1   | lost_after |
      | s3.CompleteMultipartUpload#1 | lost_after |
      | s3.CompleteMultipartUpload#1 | hang_after |
      | s3.CompleteMultipartUpload#1 | truncated  |

    Examples: a completion that fails inside HTTP 200
      | call                         | fault                            |
      | s3.CompleteMultipartUpload#1 | refused:InternalError-in-200     |
      | s3.CompleteMultipartUpload#1 | error_after:InternalError-in-200 |
      | s3.CompleteMultipartUpload#1 | refused:SlowDown-in-200          |

    Examples: a body that is damaged on its way, which its checksum tells
      | call            | fault                             |
      | s3.UploadPart#2 | damaged:request-cut               |
      | s3.UploadPart#2 | damaged:request-flipped           |
      | s3.UploadPart#1 | refused:BadDigest                 |
      | s3.UploadPart#1 | refused:XAmzContentSHA256Mismatch |
      | s3.UploadPart#2 | refused:IncompleteBody            |

    Examples: a store that damages what it keeps, or an answer that is damaged on its way
      | call                         | fault                  |
      | s3.CompleteMultipartUpload#1 | damaged:stored-cut     |
      | s3.CompleteMultipartUpload#1 | damaged:stored-flipped |
      | s3.GetObject#1               | damaged:answer-cut     |
      | s3.GetObject#2               | damaged:answer-flipped |
      | s3.GetObject#1               | truncated              |
      | s3.CreateMultipartUpload#1   | damaged:answer-cut     |
      | s3.CompleteMultipartUpload#1 | damaged:answer-cut     |

  @req:R-089 @capability:snapshot-secondary @fault
  Scenario Outline: A part in the middle or at the end is sent again like the first
    Given backups are kept on S3
    And a volume "database" of 512 MiB
    And a guest has written to "database"
    And the guest of "database" writes on
    And the call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And all that has changed is 1 more backup
    And the backup of "nightly" holds what was on the disk when it was taken

    Examples:
      | call            | fault                   |
      | s3.UploadPart#3 | refused:RequestTimeout  |
      | s3.UploadPart#3 | lost_after              |
      | s3.UploadPart#3 | damaged:request-flipped |
      | s3.GetObject#3  | damaged:answer-cut      |

  @req:R-002 @req:R-003 @capability:snapshot-secondary @fault
  Scenario Outline: A small backup goes up in one request, and is watched over like a large one
    Given backups are kept on S3
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And all that has changed is 1 more backup
    And the backup of "nightly" holds what was on the disk when it was taken

    Examples:
      | call           | fault                   |
      | s3.PutObject#1 | refused:SlowDown        |
      | s3.PutObject#1 | lost_after              |
      | s3.PutObject#1 | damaged:request-cut     |
      | s3.PutObject#1 | damaged:request-flipped |
      | s3.PutObject#1 | damaged:stored-cut      |
      | s3.PutObject#1 | damaged:stored-flipped  |
      | s3.GetObject#1 | damaged:answer-flipped  |

  @req:R-090 @capability:snapshot-secondary @fault @capability:accounting
  Scenario Outline: What stays is told, nothing is left, and the next backup succeeds
    Given backups are kept on S3
    And a volume "database" of 128 MiB
    And a guest has written to "database"
    And every call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And all that has changed is nothing
    And the driver lists the snapshot "nightly" as Error
    And the account is charged 0 more snapshots
    And nothing is left behind on hosts, access groups and staging
    When everything is repaired
    And a snapshot "second" of "database" is taken on SECONDARY
    Then the snapshot "second" is BackedUp on SECONDARY
    And the backup of "second" holds what was on the disk when it was taken

    Examples: clocks, keys and quotas
      | call                       | fault                         |
      | s3.CreateMultipartUpload   | refused:RequestTimeTooSkewed  |
      | s3.UploadPart              | refused:RequestTimeTooSkewed  |
      | s3.CompleteMultipartUpload | refused:SignatureDoesNotMatch |
      | s3.CreateMultipartUpload   | refused:InvalidAccessKeyId    |
      | s3.UploadPart              | refused:QuotaExceeded         |

    Examples: a store or a way to it that is broken for good
      | call                       | fault                        |
      | s3.UploadPart              | refused:SlowDown             |
      | s3.UploadPart              | damaged:request-flipped      |
      | s3.CompleteMultipartUpload | refused:InternalError-in-200 |
      | s3.CompleteMultipartUpload | damaged:stored-flipped       |
      | s3.GetObject               | damaged:answer-flipped       |

  @req:R-090 @capability:snapshot-secondary @capability:reconcile @crash
  Scenario Outline: Killed while parts are on their way, the driver leaves no upload open after a restart
    Given backups are kept on S3
    And a volume "database" of 128 MiB
    And a guest has written to "database"
    And the call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the driver has died
    When the driver is restarted
    Then the driver lists the snapshot "nightly" as BackedUp or Error
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                         | fault        |
      | s3.CreateMultipartUpload#1   | crash_after  |
      | s3.UploadPart#1              | crash_before |
      | s3.UploadPart#2              | crash_after  |
      | s3.CompleteMultipartUpload#1 | crash_before |
      | s3.CompleteMultipartUpload#1 | crash_after  |

  @req:R-016 @capability:snapshot-secondary @capability:volume-from-secondary @fault
  Scenario Outline: A restore that gets other bytes than were backed up is refused, and succeeds when it gets those
    Given backups are kept on S3
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    And every call <call> meets the fault <fault>
    When a volume "restored" is made from snapshot "nightly"
    Then the act is refused
    And all that has changed is nothing
    And nothing is left behind on hosts, access groups and staging
    When everything is repaired
    And a volume "again" is made from snapshot "nightly"
    Then the volume "again" holds what was on the disk when "nightly" was taken
    And the volume "again" has 500 to 2000 IOPS

    Examples:
      | call          | fault                        |
      | s3.GetObject  | damaged:answer-cut           |
      | s3.GetObject  | damaged:answer-flipped       |
      | s3.GetObject  | truncated                    |
      | s3.GetObject  | refused:SlowDown             |
      | s3.HeadObject | refused:RequestTimeTooSkewed |
