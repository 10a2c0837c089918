Feature: A LUN is formatted only where nothing was
  A host answers a probe with what it found on a LUN. Where the answer is lost on its way, an eager driver takes the LUN
  for an empty one and formats it, with a guest's disk on it.

  @req:R-098 @capability:snapshot-secondary @fault
  Scenario Outline: A probe that answers nothing is never taken for an empty LUN
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And the call host.SR.probe#<number> meets the fault refused:EMPTY
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And no LUN that held a storage repository was formatted
    And the driver lists the snapshot "nightly" as Error
    And all that has changed is nothing
    And the volume "database" is untouched
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | number |
      | 1      |
      | 2      |
      | 3      |
