Feature: Hosts that work, and hosts that must not
  A host in maintenance or without power is left in peace; another one does the work, or the caller hears why nobody does.

  @req:R-055 @capability:snapshot-secondary @capability:volume-from-secondary @fault
  Scenario Outline: Work goes to a host that is in service, or is refused
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And a snapshot "kept" of "database" on SECONDARY
    And calls are counted from here
    And <hosts>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then only <eligible> has copied, or the act is refused for want of a host
    When a volume "yesterday" is made from snapshot "kept"
    Then only <eligible> has copied, or the act is refused for want of a host
    When everything is repaired
    And the driver is restarted
    And a snapshot "afterwards" of "database" is taken on SECONDARY
    Then the snapshot "afterwards" is BackedUp on SECONDARY
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | hosts                       | eligible |
      | host 1 is disabled          | host 2   |
      | host 2 is disabled          | host 1   |
      | hosts 1 and 2 are disabled  | no host  |
      | host 2 is down              | host 1   |
      | host 1 is down              | host 2   |

  @req:R-136 @capability:snapshot-secondary
  Scenario Outline: An access group is filled to its limits and not beyond
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the access group of the hosts holds <volumes> volumes and 128 initiators
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then <end>
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | volumes | end                                                                                 |
      | 1999    | the act has succeeded                                                               |
      | 2000    | the act has succeeded, or is refused because of the "access group", leaving nothing |

  @req:R-137 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario Outline: Hosts have no more storage repositories than they may
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "kept" of "database" on SECONDARY
    And the hosts have room for <room> more storage repositories
    When <something is asked for>
    Then <end>
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | room | something is asked for                                   | end                                                               |
      | 1    | a snapshot "nightly" of "database" is taken on SECONDARY | the act has succeeded                                             |
      | 0    | a snapshot "nightly" of "database" is taken on SECONDARY | the act is refused because of the "repositories", leaving nothing |
      | 1    | a volume "yesterday" is made from snapshot "kept"        | the act has succeeded                                             |
      | 0    | a volume "yesterday" is made from snapshot "kept"        | the act is refused because of the "repositories", leaving nothing |

  @req:R-142 @capability:snapshot-secondary
  Scenario: The number of directories on the export costs nobody anything, and none is left empty
    Given backups are kept on NFS
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And a snapshot "wednesday" of "database" on SECONDARY
    And the export holds 10 directories of others
    When the snapshot "monday" is deleted and all others are listed, with calls counted
    And the export holds 3000 directories of others
    And the snapshot "tuesday" is deleted and all others are listed, with calls counted
    Then the second time took as many calls as the first
    When the snapshot "wednesday" is deleted
    Then the driver has left no empty directory
