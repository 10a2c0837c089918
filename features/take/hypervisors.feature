Feature: What hosts run decides where a snapshot can be kept
  CloudStack backs up VHD alone. To KVM a volume is a block device by its path: there is no storage repository, a clone
  needs no new identity, and nothing can be copied to secondary storage.

  @req:R-009 @capability:kvm @capability:snapshot-primary @capability:accounting
  Scenario: A KVM volume cannot be backed up, and nothing is begun
    Given the hosts run KVM
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And calls are counted from here
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused as the caller's mistake, saying "VHD"
    And nobody was called
    And all that has changed is nothing
    And no snapshot is called "nightly"
    And the volume "database" is untouched

  @req:R-001 @capability:kvm @capability:snapshot-primary
  Scenario: A KVM volume's snapshot stays on the array
    Given the hosts run KVM
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the snapshot "nightly" is BackedUp on PRIMARY
    And all that has changed is 1 more array snapshot

  @req:R-014 @capability:kvm @capability:volume-from-primary @capability:snapshot-primary
  Scenario: A clone is a KVM volume at once
    Given the hosts run KVM
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    And the guest of "database" writes on
    When a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken
    And the volume "restored" is a clone of its own on the array
    And nothing is left behind on hosts, access groups and staging
