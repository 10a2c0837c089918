Feature: What services answer is read with suspicion
  An array, a host or somebody between may answer anything: about another object, half of it, a hundred megabytes, a
  document that wants files to be read. The driver notices, does nothing to anybody else's things, and says so in time.

  @req:R-155 @capability:snapshot-primary @fault
  Scenario: A snapshot that is another one is not taken for the one that was asked for
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And every call array.CreateSnapshot meets the fault damaged:answer-of-another
    When a snapshot "nightly" of "database" is taken on PRIMARY
    Then the act is refused
    And nothing of anybody else's was touched

  @req:R-155 @capability:snapshot-primary @capability:volume-from-primary @fault
  Scenario Outline: A volume that is another one is not taken for the one that was asked for
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    And every call <call> meets the fault damaged:answer-of-another
    When a volume "restored" is made from snapshot "nightly"
    Then the act is refused
    When everything is repaired
    And the driver is restarted
    Then the volume "database" is untouched
    And nothing of anybody else's was touched

    Examples:
      | call              |
      | array.CloneVolume |
      | array.ListVolumes |

  @req:R-156 @capability:snapshot-primary @capability:volume-from-primary @fault
  Scenario Outline: What an array answers is refused in time where it is <lie>
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And a snapshot "nightly" of "database" on PRIMARY
    And every call array.ListVolumes meets the fault damaged:answer-<lie>
    When a volume "restored" is made from snapshot "nightly"
    Then the act is refused in the driver's own words
    And the driver had answered within 20 seconds
    When everything is repaired
    And the driver is restarted
    Then the volume "database" is untouched

    Examples:
      | lie     |
      | cut     |
      | garbled |
      | huge    |
      | deep    |

  @req:R-156 @capability:snapshot-secondary @fault
  Scenario Outline: What a host answers is refused in time where it is <lie>
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And every call host.SR.probe meets the fault damaged:answer-<lie>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused in the driver's own words
    And the driver had answered within 20 seconds

    Examples:
      | lie     |
      | cut     |
      | garbled |
      | huge    |
      | deep    |

  @req:R-157 @capability:snapshot-secondary @fault
  Scenario Outline: No <lie> of a host's answer is expanded
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And every call host.PBD.plug meets the fault damaged:answer-<lie>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused in the driver's own words
    And the driver had answered within 20 seconds
    And nobody was sent elsewhere

    Examples:
      | lie                |
      | entities           |
      | exploding-entities |
      | external-entity    |
      | file-entity        |

  @req:R-157 @capability:snapshot-secondary @fault
  Scenario: No document type of a host's answer is fetched
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And every call host.PBD.plug meets the fault damaged:answer-external-dtd
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then nobody was sent elsewhere
    And the driver had answered within 20 seconds

  @req:R-159 @capability:snapshot-secondary @fault
  Scenario Outline: No redirect is followed
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And every call <call> meets the fault damaged:answer-redirect
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And nobody was sent elsewhere

    Examples:
      | call                 |
      | array.CreateSnapshot |
      | host.SR.probe        |

  @req:R-152 @capability:snapshot-secondary @fault
  Scenario Outline: What a host repeats in its error is repeated nowhere
    Given a volume "database" of 1 MiB
    And a guest has written to "database"
    And every call <call> meets the fault damaged:answer-echo
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And no credential stands in anything that was written down

    Examples:
      | call                             |
      | host.SR.probe                    |
      | host.PBD.plug                    |
      | host.session.login_with_password |
