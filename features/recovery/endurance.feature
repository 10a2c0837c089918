Feature: A long life with many small troubles
  Nobody arms a fault by hand here. Things are done at random for days, one call in a hundred goes wrong in some way, the
  driver dies now and then; and whenever everything is quiet, everything is accounted for.

  @req:R-040 @capability:snapshot-primary @capability:snapshot-secondary @capability:reconcile @slow @fault @crash
  Scenario Outline: Days of random operations with faults break no invariant
    Given backups are kept on <store>
    And 2 volumes with guests
    When these volumes are used for <hours> hours, an act every 4 hours, while one call in 100 meets a fault
    Then every invariant has held after every act, and at least 3 faults were met

    Examples:
      | store | hours |
      | NFS   | 100   |
