Feature: What a guest writes is carried, never believed
  The first bytes of a disk are its guest's. Software that guesses an image's format by them can be made to open a file
  of the host's, or to read a small disk where there was a large one.

  @req:R-003 @req:R-016 @capability:snapshot-secondary @capability:volume-from-secondary
  Scenario Outline: A disk that begins like an image is backed up and restored byte for byte
    Given backups are kept on <store>
    And a volume "database" of 3 MiB
    And a guest has written to "database"
    And the guest of "database" has written the header of a <format> image
    When a snapshot "nightly" of "database" is taken on SECONDARY
    Then the backup of "nightly" holds what was on the disk when it was taken
    And the backup of "nightly" opens alone, with the size of "database"
    When a volume "restored" is made from snapshot "nightly"
    Then the volume "restored" holds what was on the disk when "nightly" was taken

    Examples:
      | store | format |
      | NFS   | QCOW2  |
      | NFS   | VMDK   |
      | NFS   | VHD    |
      | S3    | QCOW2  |
      | S3    | VMDK   |
      | S3    | VHD    |
