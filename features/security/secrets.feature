Feature: Credentials stay where they belong
  The array's administrator password, the hosts' and the store's keys reach the services they open, and nothing else: no
  log, no message, no job, no event, no file.

  @req:R-151 @capability:snapshot-secondary
  Scenario Outline: A backup that succeeds writes no credential down
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And no credential stands in anything that was written down

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-151 @capability:snapshot-secondary @fault
  Scenario Outline: A failure writes no credential down either
    Given backups are kept on S3
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And every call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And no credential stands in anything that was written down
    When everything is repaired
    And the driver is restarted
    Then the driver lists the snapshot "nightly" as Error

    Examples:
      | call                             | fault                                 |
      | array.CloneVolume                | refused:xPermissionDenied             |
      | host.session.login_with_password | refused:SESSION_AUTHENTICATION_FAILED |
      | host.SR.probe                    | refused:SR_BACKEND_FAILURE_68         |
      | s3.PutObject                     | refused:SignatureDoesNotMatch         |

  @req:R-153 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario: The keys to the store are not kept in it, and links to it are short-lived
    Given backups are kept on S3
    And a volume "database" of 18 MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    And a volume "restored" is made from snapshot "nightly"
    Then no credential stands in anything that was written down
    And no link gives access to the store for longer than 3600 seconds
