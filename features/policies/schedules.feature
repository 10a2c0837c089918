Feature: Snapshots that are taken by schedule
  A policy takes snapshots by itself, each slot once, at the place it was made for, and keeps the newest of its own.

  @req:R-027 @req:R-074 @capability:policies @capability:snapshot-secondary @capability:snapshot-primary
  @capability:audit-events
  Scenario Outline: Each run of a policy goes to the policy's place
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a DAILY policy "nightly" of "database" at "30:02" in UTC, keeping 5, on <location>
    When the driver is left alone for 51 hours
    Then all that has changed is <change>
    And the policy "nightly" has run 3 times
    And the policy "nightly" has 3 snapshots, the newest of its runs

    Examples:
      | location  | change                 |
      | SECONDARY | 3 more backup          |
      | PRIMARY   | 3 more array snapshot  |
      | no place  | 3 more array snapshot  |

  @req:R-028 @req:R-074 @capability:policies @capability:snapshot-primary @capability:audit-events @fault
  Scenario: The newest successful snapshots of a policy are kept, and nobody else's are touched
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "by hand" of "database" on PRIMARY
    And an HOURLY policy "hourly" of "database" at "30" in UTC, keeping 2, on PRIMARY
    When the driver is left alone for 2 hours
    Then the policy "hourly" has 2 snapshots, the newest of its runs
    When every call array.CreateSnapshot begins to meet refused:xPermissionDenied
    And the driver is left alone for 2 hours
    Then the policy "hourly" has 2 snapshots, the newest of its runs
    When everything is repaired
    And every call array.DeleteSnapshot begins to meet refused:xPermissionDenied
    And the driver is left alone for 2 hours
    Then the policy "hourly" has 4 snapshots, the newest of its runs
    When everything is repaired
    And the driver is left alone for 1 hours
    Then the policy "hourly" has 2 snapshots, the newest of its runs
    And the policy "hourly" has run 7 times
    And the policy "hourly" has deleted 3 snapshots
    And the driver lists the snapshot "by hand" as BackedUp

  @req:R-054 @req:R-128 @capability:policies @capability:snapshot-primary @capability:audit-events
  Scenario Outline: Summer time comes and goes, and each slot is run once, by the policy's own clock
    Given it is <begin> UTC
    And a volume "database" of 3 MiB
    And a DAILY policy "nightly" of "database" at "30:02" in <timezone>, keeping 9, on PRIMARY
    When the driver is left alone for 72 hours
    Then the policy "nightly" has run 3 times
    And the snapshots were taken at <moments>
    And the next run of "nightly" is told in UTC

    Examples:
      | begin            | timezone         | moments                                                |
      | 2026-03-28 00:00 | Europe/Berlin    | 2026-03-28 01:30, 2026-03-29 01:30, 2026-03-30 00:30 |
      | 2026-10-24 00:00 | Europe/Berlin    | 2026-10-24 00:30, 2026-10-25 00:30, 2026-10-26 01:30 |
      | 2026-03-28 00:00 | Asia/Tokyo       | 2026-03-28 17:30, 2026-03-29 17:30, 2026-03-30 17:30 |

  @req:R-054 @capability:policies @capability:snapshot-primary @capability:audit-events
  Scenario Outline: The clock is set, and no slot is run twice or left out
    Given it is 2026-05-04 00:00 UTC
    And a volume "database" of 3 MiB
    And an HOURLY policy "hourly" of "database" at "30" in UTC, keeping 9, on PRIMARY
    When the driver is left alone for 2 hours
    And the clock is set <direction> by <minutes> minutes
    And the driver is left alone for <hours> hours
    Then the policy "hourly" has run <runs> times
    And the policy "hourly" has <runs> snapshots, the newest of its runs

    Examples:
      | direction | minutes | hours | runs |
      | back      | 120     | 4     | 4    |
      | back      | 20      | 1     | 3    |
      | forward   | 45      | 1     | 4    |
      | forward   | 20      | 2     | 4    |

  @req:R-054 @capability:policies @capability:snapshot-primary @capability:audit-events @crash
  Scenario Outline: Killed in the middle of a run, the driver runs that slot once all the same
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And an HOURLY policy "hourly" of "database" at "30" in UTC, keeping 5, on PRIMARY
    And an hour passes
    And the call <call> meets the fault <fault>
    When the driver dies at what is due
    And the driver is restarted
    And the driver works off what is due
    Then the policy "hourly" has run 1 times
    And the policy "hourly" has 1 snapshots, the newest of its runs

    Examples:
      | call                   | fault        |
      | array.CreateSnapshot#1 | crash_before |
      | array.CreateSnapshot#1 | crash_after  |
      | catalog.commit#4       | crash_before |
      | catalog.commit#4       | crash_after  |
