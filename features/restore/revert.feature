Feature: A volume that is taken back to a snapshot
  Reverting throws away what was written since. It is done where no machine can be surprised by it, from the array alone;
  hosts find the volume afterwards where it was.

  @req:R-018 @capability:revert @capability:snapshot-primary @capability:audit-events
  Scenario: A volume of a stopped machine goes back to what it was
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" writes on
    And a snapshot "tuesday" of "database" on PRIMARY
    And the guest of "database" writes on
    And the guest of "database" is shut down
    When the volume "database" is reverted to snapshot "monday"
    Then the volume "database" holds what was on the disk when "monday" was taken
    And the volume "database" has kept its size, its target and its access groups
    And the driver lists the snapshot "monday" as BackedUp
    And the driver lists the snapshot "tuesday" as BackedUp
    And the act is audited as SNAPSHOT.REVERT and nothing else
    When the volume "database" is reverted to snapshot "tuesday"
    Then the volume "database" holds what was on the disk when "tuesday" was taken

  @req:R-018 @capability:revert @capability:snapshot-primary
  Scenario: A volume that a machine uses is not reverted
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" writes on
    When the volume "database" is reverted to snapshot "monday"
    Then the act is refused, saying "in use"
    And the volume "database" is untouched
    And all that has changed is nothing

  @req:R-018 @capability:revert @capability:snapshot-secondary
  Scenario: A volume is not reverted from secondary storage
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And the guest of "database" writes on
    And the guest of "database" is shut down
    When the volume "database" is reverted to snapshot "monday"
    Then the act is refused, saying "SECONDARY"
    And the volume "database" is untouched
    And all that has changed is nothing

  @req:R-018 @capability:revert @capability:snapshot-primary @capability:reconcile @fault
  Scenario Outline: A revert that meets a fault ends at one of the two contents
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" writes on
    And the guest of "database" is shut down
    And every call array.RollbackToSnapshot meets the fault <fault>
    When the volume "database" is reverted to snapshot "monday"
    Then the act is refused
    When everything is repaired
    And the driver is restarted
    Then the volume "database" is <content>

    Examples:
      | fault                     | content                                |
      | refused:xPermissionDenied | untouched                              |
      | lost_after                | what it was when "monday" was taken    |
      | lost_before               | what it was when "monday" was taken    |

  @req:R-019 @capability:revert @capability:snapshot-primary
  Scenario: A volume whose machine has snapshots of its own is not reverted
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the machine of "database" has a snapshot of its own
    And the guest of "database" writes on
    And the guest of "database" is shut down
    When the volume "database" is reverted to snapshot "monday"
    Then the act is refused
    And the volume "database" is untouched
    And all that has changed is nothing
    And nothing is left behind on hosts, access groups and staging

  @req:R-019 @capability:revert @capability:snapshot-primary @capability:snapshot-secondary
  Scenario: It is said beforehand what a volume can be reverted to, and the rest is refused
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And the guest of "database" writes on
    When the volume "database" is reverted to snapshot "monday"
    Then the act is refused, saying "in use"
    And all that has changed is nothing
    And the driver lists "monday" as revertable
    And the driver lists "tuesday" as not revertable
    Given the guest of "database" is shut down
    When the volume "database" is reverted to snapshot "tuesday"
    Then the act is refused, saying "SECONDARY"
    And all that has changed is nothing

  @req:R-049 @capability:resize @capability:revert @capability:volume-from-primary @capability:volume-from-secondary
  @capability:snapshot-primary @capability:snapshot-secondary @capability:accounting
  Scenario: What comes from a snapshot has its size, whatever size the volume has by now
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And the guest of "database" writes on
    And the guest of "database" is shut down
    When the volume "database" is resized to 5 MiB
    Then the volume "database" is a disk of 5 MiB
    And the volume "database" is untouched
    And the account is charged for the volumes and snapshots that are on the array
    When a volume "first" is made from snapshot "monday"
    Then the volume "first" is a disk of 3 MiB
    And the volume "first" holds what was on the disk when "monday" was taken
    When a volume "second" is made from snapshot "tuesday"
    Then the volume "second" is a disk of 3 MiB
    And the volume "second" holds what was on the disk when "tuesday" was taken
    When the volume "database" is reverted to snapshot "monday"
    Then the volume "database" is a disk of 3 MiB
    And the volume "database" holds what was on the disk when "monday" was taken
    And the account is charged for the volumes and snapshots that are on the array
    And nothing is left behind on hosts, access groups and staging

  @req:R-049 @capability:resize @capability:snapshot-primary
  Scenario: A volume that a machine uses is not resized
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    When the volume "database" is resized to 5 MiB
    Then the act is refused, saying "in use"
    And all that has changed is nothing
