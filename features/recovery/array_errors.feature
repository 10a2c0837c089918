Feature: What the array refuses
  Some errors pass by themselves and some do not. The first are met with patience that ends, the second are believed at
  once; and what failed costs nobody anything.

  @req:R-096 @capability:snapshot-primary @fault
  Scenario Outline: An error that passes is waited out
    Given a volume "database" of 3 MiB
    And the call array.CreateSnapshot#1 meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the snapshot "nightly" is BackedUp on PRIMARY
    And all that has changed is 1 more array snapshot

    Examples:
      | fault                       |
      | refused:xDBVersionMismatch  |
      | refused:xNotPrimary         |
      | refused:xSliceNotRegistered |
      | refused:xNotReadyForIO      |
      | lost_before                 |
      | lost_after                  |

  @req:R-096 @capability:snapshot-primary @fault
  Scenario Outline: An error that does not pass after all is given up
    Given a volume "database" of 3 MiB
    And every call array.CreateSnapshot meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the act is refused
    And the call array.CreateSnapshot was made 2 to 10 times, after pauses that varied
    And the driver lists the snapshot "nightly" as Error
    And all that has changed is nothing

    Examples:
      | fault                      |
      | refused:xDBVersionMismatch |
      | refused:xNotReadyForIO     |
      | lost_before                |

  @req:R-097 @req:R-183 @capability:snapshot-primary @capability:usage-events @fault
  Scenario Outline: An error that stays is believed at once, and costs nothing
    Given a volume "database" of 3 MiB
    And every call array.CreateSnapshot meets the fault refused:<error>
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the act is refused, saying "<error>"
    And the call array.CreateSnapshot was made 1 times
    And the driver lists the snapshot "nightly" as Error
    And all that has changed is nothing
    And nothing is billed for "nightly"

    Examples:
      | error                          |
      | xPermissionDenied              |
      | xInvalidParameter              |
      | xMaxSnapshotsPerVolumeExceeded |
      | xExceededLimit                 |

  @req:R-045 @capability:snapshot-primary @capability:accounting
  Scenario: One snapshot more than the array allows
    Given a volume "database" of 3 MiB
    And 32 snapshots of "database" on PRIMARY
    When a snapshot "one too many" of "database" is taken on PRIMARY
    Then the act is refused, saying "xMaxSnapshotsPerVolumeExceeded"
    And the driver lists the snapshot "one too many" as Error
    And all that has changed is nothing
    And the account is charged 0 more snapshots
