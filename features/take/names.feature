Feature: Names that people give
  Whatever a volume is called, the array is given a name that it takes, and nothing is ever found by that name alone.

  @req:R-047 @capability:snapshot-primary
  Scenario Outline: Any name of a volume becomes a legal and unique one on the array
    Given two volumes named by <name>
    When a snapshot of each is taken on PRIMARY under that name
    Then the driver lists volumes and snapshots by that very name
    And each name on the array is legal, unlike all others, and bears the id of its volume or snapshot

    Examples:
      | name           |
      | 1 character    |
      | 64 characters  |
      | 255 characters |
      | Unicode        |
      | underscores    |
      | blanks         |
      | signs          |

  @req:R-060 @capability:snapshot-primary
  Scenario Outline: What is noted on the array stays within its limit, or is refused before anybody is called
    Given two volumes named by 255 characters
    And calls are counted from here
    When a snapshot of the first is taken by an operation with an id of <length> <characters>
    Then the array has taken every call, or the act is refused before any, naming the limit

    Examples:
      | length | characters |
      | 36     | letters    |
      | 64     | emoji      |
      | 300    | letters    |
      | 1200   | letters    |
