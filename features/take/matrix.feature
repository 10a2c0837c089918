Feature: What hosts of each make can do, and no more
  XenServer needs a clone with identities of its own; where it cannot give them, its hosts copy. KVM takes a clone as it
  is, and writes no VHD. VMware needs help of its own, which nobody gives it here. What cannot be done is refused
  beforehand.

  @req:R-119 @capability:snapshot-primary @capability:snapshot-secondary @capability:archive @capability:volume-from-primary @capability:templates @capability:revert
  Scenario Outline: XenServer does everything
    Given a site of XenServer hosts
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "kept" of "database" on PRIMARY
    And the guest of "database" is shut down
    When somebody wants <thing>
    Then it is <outcome> by the matrix

    Examples:
      | thing                   | outcome |
      | a snapshot on PRIMARY   | done    |
      | a snapshot on SECONDARY | done    |
      | an archive              | done    |
      | a volume                | done    |
      | a template              | done    |
      | a revert                | done    |

  @req:R-119 @capability:array-volumes @capability:snapshot-primary @capability:snapshot-secondary @capability:archive @capability:volume-from-primary @capability:templates @capability:revert
  Scenario Outline: XenServer that cannot re-sign keeps snapshots as array volumes
    Given a site of XenServer without re-signing hosts
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "kept" of "database" on PRIMARY
    And the guest of "database" is shut down
    When somebody wants <thing>
    Then it is <outcome> by the matrix

    Examples:
      | thing                   | outcome |
      | a snapshot on PRIMARY   | done    |
      | a snapshot on SECONDARY | refused |
      | an archive              | refused |
      | a volume                | done    |
      | a template              | done    |
      | a revert                | refused |

  @req:R-119 @capability:kvm @capability:snapshot-primary @capability:snapshot-secondary @capability:archive @capability:volume-from-primary @capability:templates @capability:revert
  Scenario Outline: KVM keeps snapshots on the array
    Given a site of KVM hosts
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "kept" of "database" on PRIMARY
    And the guest of "database" is shut down
    When somebody wants <thing>
    Then it is <outcome> by the matrix

    Examples:
      | thing                   | outcome |
      | a snapshot on PRIMARY   | done    |
      | a snapshot on SECONDARY | refused |
      | an archive              | refused |
      | a volume                | done    |
      | a template              | refused |
      | a revert                | done    |

  @req:R-119
  Scenario Outline: VMware is not supported
    Given a site of VMware hosts
    And a volume "database" of 3 MiB
    When somebody wants <thing>
    Then it is <outcome> by the matrix

    Examples:
      | thing                   | outcome |
      | a snapshot on PRIMARY   | refused |
      | a snapshot on SECONDARY | refused |
