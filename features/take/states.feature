Feature: The states of a snapshot
  Whoever watches snapshots must be able to follow them: every step leads from where the last one ended.

  @req:R-174 @capability:state-changes @capability:archive @capability:snapshot-secondary
  Scenario: Every state of a snapshot follows from the one before
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And a snapshot "tuesday" of "database" on SECONDARY
    When the snapshot "monday" is archived
    And the snapshot "monday" is deleted
    And the snapshot "tuesday" is deleted
    And a snapshot "wednesday" of "database" is taken on SECONDARY
    Then each snapshot has walked from state to state without a gap
