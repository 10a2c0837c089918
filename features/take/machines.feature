Feature: Machines that live on while their volumes are worked on
  Nobody stops his machine for a snapshot, and no administrator waits for one. What a machine undergoes meanwhile, a
  snapshot is of one moment, or it is refused in words that say why.

  @req:R-050 @capability:snapshot-secondary @capability:snapshot-primary
  Scenario Outline: A machine is started, stopped or moved while a snapshot of its volume is taken
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" <before>
    And the guest of "database" keeps writing
    And at the call <call>, the machine of "database" is <changed>
    When a snapshot "nightly" of "database" is taken on <location>
    Then the machine of "database" was <changed>
    And the snapshot "nightly" is one moment of the volume, or the act is refused as busy
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples: on the way to secondary storage
      | before     | changed  | location  | call                  |
      | runs       | detached | SECONDARY | array.CreateSnapshot#1 |
      | runs       | halted   | SECONDARY | array.CreateSnapshot#1 |
      | runs       | rebooted | SECONDARY | array.CreateSnapshot#1 |
      | runs       | migrated | SECONDARY | array.CreateSnapshot#1 |
      | is halted  | booted   | SECONDARY | array.CreateSnapshot#1 |
      | is detached | attached | SECONDARY | array.CreateSnapshot#1 |

    Examples: while the copy runs
      | before     | changed  | location  | call                   |
      | runs       | detached | SECONDARY | host.task.get_status#1 |
      | runs       | halted   | SECONDARY | host.task.get_status#1 |
      | runs       | rebooted | SECONDARY | array.CloneVolume#1    |
      | runs       | migrated | SECONDARY | host.task.get_status#1 |
      | is halted  | booted   | SECONDARY | host.task.get_status#1 |
      | is detached | attached | SECONDARY | array.CloneVolume#1    |

    Examples: on the array
      | before     | changed  | location | call                   |
      | runs       | migrated | PRIMARY  | array.CreateSnapshot#1 |
      | is detached | attached | PRIMARY  | array.CreateSnapshot#1 |

  @req:R-034 @capability:snapshot-secondary
  Scenario Outline: A disk on which its host has snapshots is copied whole or refused
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the machine of "database" is <changed>
    And the guest of "database" writes on
    And the guest of "database" <state>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the backup of "nightly" is the whole disk, or the act is refused for the host's snapshots
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | changed     | state       |
      | snapshotted | runs        |
      | snapshotted | is detached |

  @req:R-034 @capability:snapshot-primary @capability:volume-from-primary
  Scenario: A volume is made of such a disk as a whole, or not at all
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the machine of "database" is snapshotted
    And the guest of "database" writes on
    And a snapshot "nightly" of "database" on PRIMARY
    When a volume "yesterday" is made from snapshot "nightly"
    Then the volume "yesterday" is the whole disk of "nightly", or the act is refused for the host's snapshots
    And nothing is left behind on hosts, access groups and staging

  @req:R-124 @capability:snapshot-primary @capability:snapshot-secondary @capability:volume-from-primary
  @capability:volume-from-secondary
  Scenario Outline: What else is done with a volume leaves its snapshots what they are
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "kept" of "database" on <location>
    And the guest of "database" writes on
    And <something> happens to "database"
    And the guest of "database" writes on
    When a volume "yesterday" is made from snapshot "kept"
    Then the volume "yesterday" holds what was on the disk when "kept" was taken
    When a snapshot "next" of "database" is taken on <location>
    Then the snapshot "next" is one moment of the volume, or the act is refused as busy
    And the volume "database" is untouched

    Examples:
      | something                     | location  |
      | a migration                   | PRIMARY   |
      | a migration                   | SECONDARY |
      | a snapshot by its host        | PRIMARY   |
      | a snapshot by its host        | SECONDARY |
      | a resize                      | PRIMARY   |
      | a resize                      | SECONDARY |
      | the loss of a host            | PRIMARY   |
      | the loss of a host            | SECONDARY |
      | the return of a host          | SECONDARY |
      | the making of a cached copy   | PRIMARY   |
