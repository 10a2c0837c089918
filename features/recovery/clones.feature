Feature: Clones that go wrong after the array has agreed to them
  An array answers at once and copies later. What it answers later may be an error, or never come; the driver notices
  both within a time that somebody has set, and leaves no half of a disk behind.

  @req:R-078 @capability:snapshot-secondary @capability:accounting @fault
  Scenario: A clone that fails after it was accepted is noticed
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the array accepts the next clone and fails it with xSliceNotRegistered
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And the driver lists the snapshot "nightly" as Error
    And the volume "database" is untouched
    And all that has changed is nothing
    And the account is charged 0 more snapshots
    And nothing is left behind on hosts, access groups and staging

  @req:R-078 @capability:snapshot-secondary @capability:volume-from-primary @capability:snapshot-primary @fault
  Scenario Outline: The wait for a clone has an end
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "kept" of "database" on PRIMARY
    And from now on the clones of the array go on for ever
    When <something is asked for>
    Then the act is refused
    And the act was over within 24 hours
    And the volume "database" is untouched
    And all that has changed is nothing
    And the driver lists the snapshot "kept" as BackedUp
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | something is asked for                                   |
      | a snapshot "nightly" of "database" is taken on SECONDARY |
      | a volume "yesterday" is made from snapshot "kept"        |
