Feature: Where a snapshot shall be kept, as people write it
  A location is a word that somebody types. What can be understood is understood, in every locale; what cannot is the
  caller's mistake, answered with the cure before anything is begun.

  @req:R-006 @capability:snapshot-primary @capability:snapshot-secondary
  Scenario Outline: A location is understood however it is written
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    When a snapshot "nightly" of "database" is wanted on "<written>"
    Then the snapshot "nightly" is BackedUp on <location>
    And all that has changed is 1 more <kind>

    Examples: an underscore stands for a blank
      | written     | location  | kind           |
      | secondary   | SECONDARY | backup         |
      | Secondary   | SECONDARY | backup         |
      | _secondary_ | SECONDARY | backup         |
      | SECONDARY   | SECONDARY | backup         |
      | primary     | PRIMARY   | array snapshot |
      | _Primary    | PRIMARY   | array snapshot |

  @req:R-010
  Scenario Outline: A location that is none is the caller's mistake
    Given a volume "database" of 3 MiB
    And calls are counted from here
    When a snapshot "nightly" of "database" is wanted on "<written>"
    Then the act is refused as the caller's mistake, saying "PRIMARY or SECONDARY"
    And nobody was called
    And all that has changed is nothing
    And no snapshot is called "nightly"

    Examples:
      | written        |
      | archive        |
      | secondary disk |
      | prımary        |
      | _              |
