Feature: Snapshots that take no time
  A snapshot on the array is one call of the array; what surrounds that call must not make it slow.

  @req:R-130 @capability:snapshot-primary
  Scenario Outline: A snapshot on the array is quick and takes few calls
    Given a volume "database" of 3 MiB
    And a guest has <written> to "database"
    And calls are counted from here
    And from now on each call of the array takes 0.05 seconds
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the snapshot "nightly" is BackedUp on PRIMARY
    And the act was over within 2 seconds
    And the array was called at most 5 times

    Examples:
      | written             |
      | written nothing yet |
      | written one block   |
