Feature: Many who ask at once
  An array takes so many clones and a host so much work at a time. Whoever asks for more waits his turn, is told so, and
  is not forgotten; and nobody waits for what is none of his.

  @req:R-132 @capability:volume-from-primary @capability:snapshot-primary
  Scenario: The array's limits on clones are kept by waiting
    Given 5 volumes with guests
    And a snapshot of each volume on PRIMARY
    And calls are counted from here
    When 20 volumes are made from these snapshots at once
    Then all who asked have what they asked for
    And the call array.CloneVolume was made 20 times

  @req:R-133 @capability:snapshot-secondary
  Scenario: Backups side by side do not starve one another
    Given 10 volumes with guests
    And the copies of the hosts take their time
    And calls are counted from here
    When 10 snapshots of these volumes are taken on SECONDARY at once
    Then all who asked have what they asked for
    And at least 5 copies were in flight at once
    And all that has changed is 10 more backup

  @req:R-134 @req:R-044 @capability:snapshot-secondary @capability:queue
  Scenario: No host gets more work than it may, and whoever waits is in a queue
    Given a host may be given 2 copies at once
    And 4 volumes with guests
    And the copies of the hosts take their time
    And from now on each call of the host takes 1 seconds
    And at the call host.Async.VDI.copy#5, somebody looks at the queue
    When 12 snapshots of these volumes are taken on SECONDARY at once
    Then all who asked have what they asked for
    And never more than 2 copies of one host were in flight
    And the queue named at least 5 operations, each once and all of them asked for
    And nobody waits any more
    And all that has changed is 12 more backup

  @req:R-044 @capability:queue
  Scenario: The first who come from an account that no array has heard of are all served
    Given from now on each call of the array takes 1 seconds
    When 4 volumes of the account "newcomers" are made at once
    Then all who asked have what they asked for
    And the driver lists 4 volumes of the account "newcomers"

  @req:R-041 @capability:snapshot-primary @capability:snapshot-secondary
  Scenario: A slow array slows down nobody but those who need it
    Given a volume "database" of 3 MiB
    And a volume "other" of 3 MiB
    And a guest has written to "other"
    And a snapshot "done" of "other" on SECONDARY
    And from now on each call of the array takes 10 seconds
    When a snapshot of "database" is taken, snapshots are listed and "done" is deleted, all at once
    Then all who asked have what they asked for
    And the first took 10 seconds or more, and each of the others at most 2
