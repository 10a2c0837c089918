Feature: Nothing of a user's bytes is left lying about
  A backup passes through a clone of the disk and through files on the way. When it is over they are gone, from the
  array's list of deleted volumes too, and what waits to be attached can be reached by no host.

  @req:R-165 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario Outline: A backup and its restore leave no second copy behind
    Given backups are kept on <store>
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then nothing is left behind on hosts, access groups and staging
    And the array keeps no volume but users' own, not even a deleted one
    When a volume "restored" is made from snapshot "nightly"
    Then nothing is left behind on hosts, access groups and staging
    And the array keeps no volume but users' own, not even a deleted one

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-165 @capability:snapshot-primary @capability:volume-from-primary
  Scenario: A clone that waits to be attached can be reached by no host
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    When a volume "restored" is made from snapshot "nightly"
    Then no host can reach what no machine uses

  @req:R-165 @capability:snapshot-secondary @fault
  Scenario Outline: A backup that fails at <call> leaves nothing either
    Given backups are kept on S3
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    And every call <call> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And nothing is left behind on hosts, access groups and staging
    And the array keeps no volume but users' own, not even a deleted one

    Examples:
      | call                | fault                         |
      | host.SR.create      | refused:SR_BACKEND_FAILURE_47 |
      | s3.PutObject        | refused:AccessDenied          |
