Feature: What is not begun
  A request that cannot be fulfilled is answered with no, in words that help, and leaves nothing: no record, no call.

  @req:R-062 @capability:snapshot-primary
  Scenario: A snapshot of a volume that nobody knows is refused
    Given a volume "database" of 3 MiB
    When a snapshot "nightly" is taken of a volume that nobody knows
    Then the act is refused as a parameter error
    And no snapshot is called "nightly"
    And all that has changed is nothing

  @req:R-062 @capability:snapshot-primary
  Scenario Outline: A snapshot of a volume that was removed is refused
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And a snapshot "before" of "database" on PRIMARY
    And the volume "database" has been deleted
    When a snapshot "nightly" of "database" is taken on <location>
    Then the act is refused as a parameter error
    And no snapshot is called "nightly"
    And all that has changed is nothing

    Examples:
      | location  |
      | PRIMARY   |
      | SECONDARY |

  @req:R-062 @capability:snapshot-primary @capability:revert
  Scenario: A snapshot of a volume that is not Ready is refused
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" is shut down
    And a snapshot "before" of "database" on PRIMARY
    And at the call array.RollbackToSnapshot#1, somebody else takes a snapshot "nightly" of "database" on PRIMARY
    When the volume "database" is reverted to snapshot "before"
    Then the other caller is refused
    And no snapshot is called "nightly"
    And the volume "database" is what it was when "before" was taken

  @req:R-030 @capability:snapshot-primary
  Scenario Outline: Whoever asks for a quiesced guest gets one, or hears that he does not
    Given a volume "database" of 3 MiB
    And a guest has written to "database"
    And calls are counted from here
    When a quiesced snapshot "nightly" of "database" is taken on <location>
    Then the guest was quiesced before the array's snapshot, or the act is refused for that reason

    Examples:
      | location  |
      | PRIMARY   |
      | SECONDARY |
