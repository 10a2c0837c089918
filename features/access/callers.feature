Feature: Who may do what
  Whoever calls acts for an account: with a role, in a domain, perhaps as a member of a project. What a caller may not
  know of is told of in the very words for what does not exist.

  @req:R-148 @capability:accounts @capability:snapshot-primary @capability:policies @capability:archive @capability:revert
  Scenario Outline: Another account can do nothing with what is not its own, nor learn that it exists
    Given an account "sue" in /, a user
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And a snapshot "nightly" of "database" on PRIMARY
    And a DAILY policy "daily" of "database" at "0:4" in UTC, keeping 2, on PRIMARY
    When "sue" asks to <act> "<thing>"
    Then the act is refused
    And all that has changed is nothing
    And "sue" is told the same of what does not exist
    And the driver lists the snapshot "nightly" as BackedUp

    Examples:
      | act                           | thing    |
      | take a snapshot               | database |
      | delete the volume             | database |
      | put a policy on the volume    | database |
      | archive the snapshot          | nightly  |
      | delete the snapshot           | nightly  |
      | revert to the snapshot        | nightly  |
      | make a volume of the snapshot | nightly  |
      | delete the policy             | daily    |

  @req:R-148 @capability:accounts @capability:snapshot-primary @capability:templates
  Scenario: Another account can make no template of what is not its own
    Given an account "sue" in /, a user
    And a volume "database" of 3 MiB
    And a snapshot "nightly" of "database" on PRIMARY
    When "sue" asks to make a template of the snapshot "nightly"
    Then the act is refused
    And all that has changed is nothing
    And "sue" is told the same of what does not exist

  @req:R-148 @capability:accounts @capability:snapshot-primary @capability:policies @capability:accounting @capability:audit-events @capability:usage-events
  Scenario: Another account is shown nothing of others
    Given an account "sue" in /, a user
    And a volume "database" of 3 MiB
    And a snapshot "nightly" of "database" on PRIMARY
    And a DAILY policy "daily" of "database" at "0:4" in UTC, keeping 2, on PRIMARY
    Then "sue" is shown 0 volumes, 0 snapshots and 0 policies
    And "sue" reads no event, no bill and no count of others
    And "team-blue" is shown 1 volumes, 1 snapshots and 1 policies

  @req:R-149 @capability:accounts @capability:snapshot-primary
  Scenario Outline: A domain's administrator looks after the domain and what is below it, and after nothing else
    Given the account is in <domain>
    And an account "sam" in /sales/, a domain-admin
    And a volume "database" of 3 MiB
    And a snapshot "nightly" of "database" on PRIMARY
    Then "sam" is shown <shown> volumes, <shown> snapshots and 0 policies
    When "sam" asks to delete the snapshot "nightly"
    Then the act is <outcome> for this caller

    Examples:
      | domain             | shown | outcome |
      | /sales/            | 1     | allowed |
      | /sales/north/east/ | 1     | allowed |
      | /                  | 0     | unknown |
      | /research/         | 0     | unknown |
      | /salesforce/       | 0     | unknown |

  @req:R-149 @capability:accounts @capability:snapshot-primary
  Scenario Outline: What a project owns is its members', and nobody else's
    Given an account "ray" in /research/, a user
    And an account "rita" in /research/, a domain-admin
    And an account "sue" in /sales/, a user
    And the account is a project in /research/ of "sue"
    And a volume "database" of 3 MiB
    And a snapshot "nightly" of "database" on PRIMARY
    Then "<caller>" is shown <shown> volumes, <shown> snapshots and 0 policies
    When "<caller>" asks to delete the snapshot "nightly"
    Then the act is <outcome> for this caller

    Examples:
      | caller | shown | outcome |
      | sue    | 1     | allowed |
      | rita   | 1     | allowed |
      | ray    | 0     | unknown |

  @req:R-171 @capability:accounts @capability:snapshot-primary
  Scenario Outline: Each kind of user may do what the table of rights says
    Given an account "visitor" in /, a <role>
    And a volume "database" of 3 MiB
    And a snapshot "nightly" of "database" on PRIMARY
    Then "visitor" is shown <shown> volumes, <shown> snapshots and 0 policies
    When "visitor" asks to take a snapshot "database"
    Then the act is <outcome> for this caller
    When "visitor" asks to delete the snapshot "nightly"
    Then the act is <outcome> for this caller
    When "team-blue" asks to take a snapshot "database"
    Then the act is allowed for this caller

    Examples:
      | role         | shown | outcome |
      | root-admin   | 1     | allowed |
      | domain-admin | 1     | allowed |
      | support      | 1     | denied  |
      | user         | 0     | unknown |
      | vendor       | 0     | unknown |

  @req:R-171 @capability:accounts @capability:snapshot-primary @capability:snapshot-secondary @capability:archive
  @capability:policies @capability:revert @capability:volume-from-primary
  Scenario Outline: Whatever a kind of user asks for, the table of rights is kept
    Given an account "visitor" in /, a <role>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And a snapshot "nightly" of "database" on PRIMARY
    When "visitor" asks to <act> "<thing>"
    Then the act is <outcome> for this caller

    Examples: who looks after everything
      | role         | act                           | thing    | outcome |
      | root-admin   | archive the snapshot          | nightly  | allowed |
      | root-admin   | revert to the snapshot        | nightly  | allowed |
      | domain-admin | put a policy on the volume    | database | allowed |
      | domain-admin | archive the snapshot          | nightly  | allowed |

    Examples: who sees everything and touches nothing
      | role    | act                           | thing    | outcome |
      | support | archive the snapshot          | nightly  | denied  |
      | support | revert to the snapshot        | nightly  | denied  |
      | support | make a volume of the snapshot | nightly  | denied  |
      | support | put a policy on the volume    | database | denied  |
      | support | delete the volume             | database | denied  |

    Examples: who knows nothing of it
      | role   | act                           | thing    | outcome |
      | user   | archive the snapshot          | nightly  | unknown |
      | vendor | revert to the snapshot        | nightly  | unknown |
      | vendor | make a volume of the snapshot | nightly  | unknown |
      | vendor | delete the volume             | database | unknown |

  @req:R-063 @capability:accounts @capability:snapshot-primary
  Scenario Outline: A disabled account and one that only reads are denied, whatever exists
    Given an account "desk" in /, a support
    And a volume "database" of 3 MiB
    And a snapshot "nightly" of "database" on PRIMARY
    And the account "team-blue" is disabled
    When "<caller>" asks to <act> "<thing>"
    Then the act is denied for this caller
    And all that has changed is nothing
    And "<caller>" is told the same of what does not exist

    Examples:
      | caller    | act                 | thing    |
      | team-blue | take a snapshot     | database |
      | team-blue | delete the snapshot | nightly  |
      | desk      | take a snapshot     | database |
      | desk      | delete the snapshot | nightly  |

  @req:R-063 @capability:accounts @capability:snapshot-primary
  Scenario: Members of a suspended project learn nothing of it
    Given an account "sue" in /sales/, a user
    And the account is a project in /research/ of "sue"
    And a volume "database" of 3 MiB
    And the project in /research/ of "sue" is suspended
    When "sue" asks to take a snapshot "database"
    Then the act is unknown for this caller
    And "sue" is told the same of what does not exist
    And "sue" is shown 0 volumes, 0 snapshots and 0 policies

  @req:R-167 @capability:accounts @capability:audit-events @capability:revert @capability:snapshot-primary
  Scenario: A revert names whoever asked for it
    Given an account "sam" in /, a domain-admin
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" is shut down
    When "sam" asks to revert to the snapshot "monday"
    Then the act is allowed for this caller
    And the act is audited as asked for by "sam"

  @req:R-167 @capability:accounts @capability:audit-events @capability:revert @capability:snapshot-primary
  Scenario: What a revert throws away can be kept
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on PRIMARY
    And the guest of "database" writes on
    And the guest of "database" is shut down
    When keeping what it is as "before", the volume "database" is reverted to snapshot "monday"
    Then the volume "database" holds what was on the disk when "monday" was taken
    And all that has changed is 1 more array snapshot
    When the volume "database" is reverted to snapshot "before"
    Then the volume "database" holds what was on the disk when "before" was taken
