Feature: Nobody is told a secret before it is certain who listens
  Whoever sits between the driver and its array would be the array's administrator from the first request on. A
  certificate that is not to be trusted ends the conversation before it begins.

  @req:R-154
  Scenario Outline: An array with <mask> is told nothing
    Given somebody plays the array with <mask>
    When an account of a plain name's form backs up a volume of that name
    Then the act is refused in the driver's own words
    And the impostor has heard nothing

    Examples:
      | mask                                  |
      | a certificate that nobody vouches for |
      | a certificate of another host's       |
      | a certificate that has expired        |

  @req:R-159
  Scenario: An address that asks for no certificate is not spoken to
    Given somebody plays the array with no certificate at all
    When an account of a plain name's form backs up a volume of that name
    Then the act is refused in the driver's own words
    And the impostor has heard nothing

  @req:R-154 @capability:snapshot-secondary
  Scenario Outline: A host with <mask> is told nothing
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And somebody plays the host with <mask>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused in the driver's own words
    And the impostor has heard nothing

    Examples:
      | mask                                  |
      | a certificate that nobody vouches for |
      | a certificate of another host's       |
