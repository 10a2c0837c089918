Feature: A name is a name, and never a way
  Accounts, volumes and snapshots are called as people like. A backup lies where the rule for paths says, whatever they
  are called and whatever somebody has planted there: no name leads out of its place, no link is followed, no pattern is
  expanded.

  @req:R-144 @req:R-147 @capability:snapshot-secondary
  Scenario Outline: The name of an account leads no backup out of its place
    Given backups are kept on <store>
    When an account of <form> form backs up a volume of that name
    Then it was refused as the caller's mistake, or the backup lies under a path by the rule

    Examples:
      | store | form               |
      | NFS   | the parent's       |
      | NFS   | an absolute path's |
      | NFS   | a NUL's            |
      | NFS   | a backslash's      |
      | NFS   | a fullwidth slash's |
      | NFS   | a pattern's        |
      | S3    | the parent's       |
      | S3    | an absolute path's |
      | S3    | an encoded slash's |
      | S3    | a line feed's      |
      | S3    | a very long name's |

  @req:R-144 @req:R-147 @capability:snapshot-secondary
  Scenario Outline: The name of a snapshot leads its backup nowhere else
    Given backups are kept on <store>
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    When a snapshot of <form> form is taken of "database" on SECONDARY
    Then it was refused as the caller's mistake, or the backup lies under a path by the rule

    Examples:
      | store | form               |
      | NFS   | the parent's       |
      | NFS   | a NUL's            |
      | S3    | an absolute path's |
      | S3    | a line feed's      |
      | S3    | a very long name's |

  @req:R-145 @capability:snapshot-secondary
  Scenario: No backup is written through a planted link
    Given backups are kept on NFS
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    And somebody has planted a link at "snapshots"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And nothing of anybody else's was touched

  @req:R-145 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario Outline: No backup is read through a planted link
    Given backups are kept on NFS
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    And somebody has put a link in the place of <place> of "nightly"
    When a volume "restored" is made from snapshot "nightly"
    Then the act is refused
    And nothing of anybody else's was touched

    Examples:
      | place                    |
      | the backup               |
      | the folder of the backup |

  @req:R-145 @capability:snapshot-secondary
  Scenario Outline: No backup is deleted through a planted link
    Given backups are kept on NFS
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on SECONDARY
    And somebody has put a link in the place of <place> of "nightly"
    When the snapshot "nightly" is deleted
    Then the act is refused
    And nothing of anybody else's was touched
    When everything is repaired
    And the snapshot "nightly" is deleted
    Then the backup of "nightly" is gone

    Examples:
      | place                    |
      | the backup               |
      | the folder of the backup |

  @req:R-146 @capability:snapshot-secondary
  Scenario Outline: What is deleted is one file, whatever its neighbours are called
    Given backups are kept on <store>
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    And a snapshot "monday" of "database" on SECONDARY
    And a snapshot "tuesday" of "database" on SECONDARY
    And somebody else keeps files around the backup of "monday"
    When the snapshot "monday" is deleted
    Then the backup of "monday" is gone
    And the backup of "tuesday" is still there, whole
    And nothing of anybody else's was touched

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-158 @capability:snapshot-secondary
  Scenario Outline: No name is read by a shell on its way to a backup
    Given backups are kept on <store>
    And a volume "database" of 1 MiB
    And a guest has written to "database"
    When a snapshot of a shell's form is taken of "database" on SECONDARY
    Then it was refused as the caller's mistake, or the backup lies under a path by the rule
    And no shell has read a name

    Examples:
      | store |
      | NFS   |
      | S3    |

  @req:R-158
  Scenario: No account's or volume's name is read by a shell
    When an account of a shell's form backs up a volume of that name
    Then it was refused, or the backup lies under a path by the rule
    And no shell has read a name

  @req:R-158 @capability:kvm
  Scenario: No name is read by a shell of a KVM host
    Given the hosts run KVM
    When an account of a shell's form backs up a volume of that name
    Then no shell has read a name
