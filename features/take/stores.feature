Feature: Several storage pools and image stores
  Each snapshot has its place, by name. What is done with it later is done there, and what one place holds is not counted
  at another, whatever numbers they have in somebody's tables.

  @req:R-015 @capability:pools @capability:volume-from-primary @capability:snapshot-primary
  Scenario: A volume is made from an array snapshot on its own pool alone
    Given there are 2 storage pools
    And on the pool primary-2, a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    And the guest of "database" writes on
    When a volume "elsewhere" is made from snapshot "nightly" on the pool primary-1
    Then the act is refused as the caller's mistake, saying "pool"
    And all that has changed is nothing
    When a volume "beside" is made from snapshot "nightly" on the pool primary-2
    Then the volume "beside" is on the pool primary-2
    And the volume "beside" holds what was on the disk when "nightly" was taken
    And all that has changed is 1 more array volume

  @req:R-015 @capability:pools @capability:volume-from-primary @capability:volume-from-secondary
  @capability:snapshot-primary @capability:snapshot-secondary
  Scenario: A volume is made from a backup on any pool
    Given there are 2 storage pools
    And on the pool primary-2, a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    And the guest of "database" writes on
    When a volume "elsewhere" is made from snapshot "nightly" on the pool primary-1
    Then the volume "elsewhere" is on the pool primary-1
    And the volume "elsewhere" holds what was on the disk when "nightly" was taken
    And all that has changed is 1 more array volume

  @req:R-058 @capability:pools @capability:snapshot-primary @capability:snapshot-secondary
  Scenario: Backups are not counted as used on any pool
    Given there are 2 storage pools
    And on the pool primary-1, a volume "database" of 3 MiB
    And a guest has written to "database"
    And the pools' use is noted
    When a snapshot "monday" of "database" is taken on SECONDARY
    Then the pool primary-1 counts as many bytes as used
    And the pool primary-2 counts as many bytes as used
    When a snapshot "tuesday" of "database" is taken on PRIMARY
    Then the pool primary-1 counts more bytes as used
    And the pool primary-2 counts as many bytes as used
    When the snapshot "tuesday" is deleted
    Then the pool primary-1 counts as many bytes as used

  @req:R-059 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario: What lies in one of several image stores is restored from there and deleted there
    Given there are 2 image stores
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And a snapshot "wednesday" of "database" on SECONDARY
    And a snapshot "thursday" of "database" on SECONDARY
    Then every backup lies in just the image store that the driver says
    Given calls are counted from here
    When a volume "first" is made from snapshot "monday"
    Then the volume "first" holds what was on the disk when "monday" was taken
    And no image store was asked for anything but that of "monday"
    Given calls are counted from here
    When the snapshot "monday" is deleted
    Then all that has changed is 1 fewer backup
    And no image store was asked for anything but that of "monday"
    Given calls are counted from here
    When the snapshot "tuesday" is deleted
    Then all that has changed is 1 fewer backup
    And no image store was asked for anything but that of "tuesday"
    When the snapshot "wednesday" is deleted
    Then all that has changed is 1 fewer backup
    And every backup lies in just the image store that the driver says

  @req:R-066 @capability:pools @capability:snapshot-primary @capability:accounting
  Scenario: A snapshot that does not fit on its pool is refused, and nothing is reserved for it
    Given a storage pool may be made to hold 6000 MiB
    And on the pool primary-1, a volume "large" of 3000 MiB
    And on the pool primary-1, a volume "small" of 3 MiB
    And the pools' use is noted
    When a snapshot "nightly" of "large" is taken on PRIMARY
    Then the act is refused, saying "primary-1"
    And all that has changed is nothing
    And the pool primary-1 counts as many bytes as used
    And the account is charged 0 more snapshots
    When a snapshot "fitting" of "small" is taken on PRIMARY
    Then the snapshot "fitting" is BackedUp on PRIMARY
    And the pool primary-1 counts more bytes as used
