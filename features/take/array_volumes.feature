Feature: Snapshots where no host can re-sign
  The clone of a LUN has its parent's identities, and a host that cannot change them refuses it beside its parent. There
  a snapshot is an array volume of its own, which a host fills; and what would need a clone is refused beforehand.

  @req:R-031 @capability:array-volumes @capability:snapshot-primary @capability:accounting
  Scenario: A running machine's snapshot is an array volume of its own
    Given no host can re-sign
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the snapshot "nightly" is BackedUp on PRIMARY
    And an array volume of its own holds what was on the disk when "nightly" was taken
    And five details are kept of the array volume of "nightly", and they are true
    And the account is charged 1 more snapshot
    And the volume "database" is untouched

  @req:R-031 @capability:array-volumes @capability:snapshot-primary @capability:volume-from-primary
  Scenario: A snapshot of a stopped machine is taken and restored by hosts alone
    Given no host can re-sign
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    When a snapshot "nightly" of "database" is taken
    Then an array volume of its own holds what was on the disk when "nightly" was taken
    And all that has changed is 1 more array volume
    When a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken
    And a machine that starts on "restored" reads what was on the disk when "nightly" was taken
    And all that has changed is 1 more array volume
    And nothing is left behind on hosts, access groups and staging

  @req:R-031 @capability:array-volumes @capability:snapshot-primary @fault
  Scenario Outline: A fault that passes leaves the whole snapshot
    Given no host can re-sign
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And the call <call> meets the fault lost_after
    When a snapshot "nightly" of "database" is taken
    Then the driver lists the snapshot "nightly" as BackedUp
    And an array volume of its own holds what was on the disk when "nightly" was taken
    And all that has changed is 1 more array volume
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                 |
      | host.VDI.snapshot#1  |
      | array.CreateVolume#1 |

  @req:R-031 @capability:array-volumes @capability:snapshot-primary @capability:reconcile @crash
  Scenario Outline: Killed while hosts fill an array volume, the driver has one snapshot after a restart
    Given no host can re-sign
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And the call <call> meets the fault crash_after
    When a snapshot "nightly" of "database" is taken
    Then the driver has died
    When the driver is restarted
    Then the driver lists the snapshot "nightly" as BackedUp
    And all that has changed is 1 more array volume
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | call                  |
      | host.VDI.snapshot#1   |
      | host.Async.VDI.copy#1 |

  @req:R-031 @capability:array-volumes @capability:snapshot-primary @capability:reconcile @fault
  Scenario: A fault that stays leaves nothing of the snapshot
    Given no host can re-sign
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And every call host.Async.VDI.copy meets the fault refused:SR_BACKEND_FAILURE_44
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the act is refused
    When everything is repaired
    And the driver is restarted
    Then the driver lists the snapshot "nightly" as Error
    And all that has changed is nothing
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

  @req:R-032 @capability:snapshot-secondary
  Scenario: A backup is refused before anything is begun
    Given no host can re-sign
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And calls are counted from here
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused, saying "re-sign"
    And the array was asked to make nothing
    And all that has changed is nothing
    And no snapshot is called "nightly"

  @req:R-033 @capability:array-volumes @capability:snapshot-primary @capability:reconcile
  Scenario: Array snapshots and array volumes of one volume go each in its own way
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on PRIMARY
    And the guest of "database" writes on
    And the guest of "database" is shut down
    When the hosts can re-sign no longer
    And the driver is restarted
    And a snapshot "wednesday" of "database" is taken on PRIMARY
    Then an array volume of its own holds what was on the disk when "wednesday" was taken
    When a snapshot "thursday" of "database" is taken on PRIMARY
    Then an array volume of its own holds what was on the disk when "thursday" was taken
    When the snapshot "monday" is deleted
    Then all that has changed is 1 fewer array snapshot
    And the array snapshot of "monday" is gone
    When the snapshot "wednesday" is deleted
    Then the array volume of "wednesday" is gone
    And an array volume of its own holds what was on the disk when "thursday" was taken
    And the driver lists the snapshot "tuesday" as BackedUp

  @req:R-061 @capability:snapshot-secondary
  Scenario: Of two clusters of hosts, the one that can re-sign makes the backup
    Given there are two clusters of hosts, of which the second can re-sign
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And calls are counted from here
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And the backup of "nightly" holds what was on the disk when it was taken
    And the hosts of the second cluster alone have made the copy
    And all that has changed is 1 more backup
    And nothing is left behind on hosts, access groups and staging

  @req:R-061 @capability:snapshot-secondary
  Scenario: Where no cluster can re-sign, nothing is begun
    Given there are two clusters of hosts, of which none can re-sign
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And calls are counted from here
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused, saying "re-sign"
    And the array was asked to make nothing
    And all that has changed is nothing
