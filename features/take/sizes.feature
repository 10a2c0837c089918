Feature: Volumes of every size
  No size is rounded down, no last sector is forgotten, and what was never written takes no room.

  @req:R-046 @capability:snapshot-primary @capability:snapshot-secondary @capability:volume-from-primary
  @capability:volume-from-secondary
  Scenario Outline: A volume of any size comes back whole, to its last byte
    Given a volume "database" of <size> bytes
    And a guest has written to "database"
    And the guest of "database" has written its last bytes
    And a snapshot "nightly" of "database" on <location>
    When a volume "yesterday" is made from snapshot "nightly"
    Then the snapshot "nightly" is as large as "database" or larger
    And the volume "yesterday" is as large as "database" or larger
    And every byte of "nightly" is on the volume "yesterday"

    Examples: the smallest volume of the array, and sizes that are no multiple of a mebibyte
      | size       | location  |
      | 1000000000 | PRIMARY   |
      | 1000000000 | SECONDARY |
      | 3145729    | PRIMARY   |
      | 3145729    | SECONDARY |
      | 4194816    | SECONDARY |
      | 512        | SECONDARY |

  @req:R-048 @capability:snapshot-secondary
  Scenario Outline: A volume that was hardly written to, or never, is backed up as a small file
    Given a volume "database" of 64 MiB
    And a guest has <written> to "database"
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the snapshot "nightly" is BackedUp on SECONDARY
    And the backup of "nightly" opens alone, with the size of "database"
    And the backup of "nightly" is what was on the disk, be it nothing
    And the backup of "nightly" weighs at most <percent> percent of "database"

    Examples:
      | written             | percent |
      | written nothing yet | 2       |
      | written one block   | 6       |

  @req:R-139 @capability:snapshot-primary @capability:snapshot-secondary @capability:volume-from-primary
  @capability:volume-from-secondary
  Scenario Outline: Volumes of many terabytes need no more memory than small ones
    Given a volume "database" of <size> GiB
    And a guest has written to "database"
    And the guest of "database" has written its last bytes
    And memory is watched from here
    When a snapshot "nightly" of "database" is taken on <location>
    And a volume "yesterday" is made from snapshot "nightly"
    Then every byte of "nightly" is on the volume "yesterday"
    And no more than 256 MiB of memory were needed

    Examples: the largest that the array takes, and the largest that a VHD can hold
      | size  | location  |
      | 14894 | PRIMARY   |
      | 2040  | SECONDARY |

  @req:R-139 @capability:snapshot-secondary
  Scenario: A volume that no VHD can hold is backed up whole or refused before anything is begun
    Given a volume "database" of 14894 GiB
    And a guest has written to "database"
    And calls are counted from here
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act has succeeded, or is refused because of the "bytes", leaving nothing
    And no snapshot is called "nightly" that is not BackedUp
