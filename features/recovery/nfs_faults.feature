Feature: A server of secondary storage that fails in the middle of a backup
  Disks fill up, quotas end, file handles go stale, exports turn read-only, an error comes at the very last fsync, and a
  reboot takes every byte that was not durable. Whichever of these meets whoever writes, no half of a backup is kept,
  nothing is left behind, and the next backup works as if nothing had been.

  Background:
    Given backups are kept on NFS
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" keeps writing
    And a snapshot "kept" of "database" on SECONDARY

  @req:R-079 @req:R-086 @capability:snapshot-secondary @capability:reconcile @fault
  Scenario Outline: A server that fails a host's copy costs the backup and nothing else
    Given every call <act> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the act is refused
    And the volume "database" is untouched
    When everything is repaired
    And the driver is restarted
    Then the driver lists the snapshot "nightly" as Error
    And all that has changed is nothing
    And nothing is left behind on hosts, access groups and staging
    And every backup that the driver lists is there, whole
    When a snapshot "afterwards" of "database" is taken on SECONDARY
    Then the snapshot "afterwards" is BackedUp on SECONDARY
    And all that has changed is 1 more backup
    And the backup of "afterwards" holds what was on the disk when it was taken

    Examples: the disk is full, or the quota is used up
      | act           | fault          |
      | export.write  | refused:ENOSPC |
      | export.fsync  | refused:ENOSPC |
      | export.create | refused:EDQUOT |
      | export.write  | refused:EDQUOT |

    Examples: file handles are stale
      | act           | fault          |
      | export.write  | refused:ESTALE |
      | export.open   | refused:ESTALE |
      | export.read   | refused:ESTALE |
      | export.rename | refused:ESTALE |

    Examples: the export is read-only
      | act                     | fault         |
      | export.make_directories | refused:EROFS |
      | export.write            | refused:EROFS |
      | export.rename           | refused:EROFS |

    Examples: the disk of the server fails, at the latest when the host closes its file
      | act          | fault       |
      | export.write | refused:EIO |
      | export.fsync | refused:EIO |
      | export.read  | refused:EIO |

    Examples: the server reboots, again and again
      | act          | fault          |
      | export.write | refused:REBOOT |
      | export.fsync | refused:REBOOT |

  @req:R-079 @req:R-086 @capability:snapshot-secondary @capability:reconcile @fault
  Scenario Outline: A server that fails once is survived or the backup is refused, and never is half a backup kept
    Given the call <act> meets the fault <fault>
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the volume "database" is untouched
    When the driver is restarted
    Then the driver lists the snapshot "nightly" as BackedUp or Error
    And every backup that the driver lists is there, whole
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | act                       | fault          |
      | export.write#1            | refused:ENOSPC |
      | export.write#2            | refused:ESTALE |
      | export.write#3            | refused:REBOOT |
      | export.fsync#1            | refused:EIO    |
      | export.fsync#1            | refused:REBOOT |
      | export.create#1           | refused:EROFS  |
      | export.rename#1           | refused:EIO    |
      | export.read#1             | refused:ESTALE |
      | export.open#1             | refused:EIO    |
      | export.delete_directory#1 | refused:EROFS  |
      | nfs.rename#1              | refused:EDQUOT |
      | nfs.rename#1              | error_after    |

  @req:R-021 @capability:snapshot-secondary @capability:reconcile @fault
  Scenario Outline: A server that refuses a deletion keeps the backup until it is asked again
    Given a snapshot "sibling" of "database" on SECONDARY
    And every call <act> meets the fault <fault>
    When the snapshot "kept" is deleted
    Then the act is refused
    And all that has changed is nothing
    When everything is repaired
    And the driver is restarted
    And the snapshot "kept" is deleted
    Then the driver lists no snapshot "kept"
    And the backup of "kept" is gone
    And the backup of "sibling" is there, whole
    And nothing is left behind on hosts, access groups and staging

    Examples:
      | act           | fault          |
      | export.delete | refused:EROFS  |
      | export.delete | refused:ESTALE |
      | nfs.delete    | refused:EACCES |

  @req:R-021 @req:R-081 @capability:snapshot-secondary @capability:reconcile @fault
  Scenario Outline: A deletion of which nobody knows how it ended is ended by the next life
    Given a snapshot "sibling" of "database" on SECONDARY
    And every call <act> meets the fault <fault>
    When the snapshot "kept" is deleted
    Then the act is refused
    When everything is repaired
    And the driver is restarted
    Then the backup of "kept" is gone
    And every backup that the driver lists is there, whole
    And the volume "database" is untouched

    Examples:
      | act           | fault       |
      | export.delete | refused:EIO |
      | nfs.delete    | lost_before |
      | nfs.delete    | hang_before |
