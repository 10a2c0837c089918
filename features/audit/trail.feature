Feature: The trail of audit events
  Whoever asks later what was done, for whom and how it ended finds it written down: each act is created, started and
  completed once, and a failure is called one.

  @req:R-071 @capability:audit-events @capability:snapshot-primary @capability:revert
  Scenario: A snapshot is taken, reverted to and deleted
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the act is audited wholly as SNAPSHOT.CREATE, ended with INFO
    When the volume "database" is reverted to snapshot "nightly"
    Then the act is audited wholly as SNAPSHOT.REVERT, ended with INFO
    When the snapshot "nightly" is deleted
    Then the act is audited wholly as SNAPSHOT.DELETE, ended with INFO

  @req:R-071 @capability:audit-events @capability:policies
  Scenario: A policy is put into force and ended
    Given a volume "database" of 3 MiB
    When a DAILY policy "nightly" of "database" is put into force
    Then the act is audited wholly as SNAPSHOTPOLICY.CREATE, ended with INFO
    When the policy "nightly" is ended
    Then the act is audited wholly as SNAPSHOTPOLICY.DELETE, ended with INFO

  @req:R-071 @capability:audit-events @capability:snapshot-primary @fault
  Scenario: What fails is called a failure
    Given a volume "database" of 3 MiB
    And every call array.CreateSnapshot meets the fault refused:xPermissionDenied
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the act is refused
    And the act is audited wholly as SNAPSHOT.CREATE, ended with ERROR
