Feature: Names in any script
  People call their things as they like. The names are theirs and stay as they are; the array gets others.

  @req:R-126 @capability:snapshot-primary
  Scenario Outline: A name is kept as it was given, and the array gets one that it can bear
    Given a volume of 3 MiB that is called exactly "<volume>"
    When a snapshot "<snapshot>" of "<volume>" is taken on PRIMARY
    Then the driver lists the volume and the snapshot as exactly "<volume>" and "<snapshot>"
    And every name on the array is plain ASCII

    Examples:
      | volume        | snapshot           |
      | 💾 disk 👩‍💻     | 🌙 nightly 🇯🇵       |
      | מסד נתונים    | لقطة ليلية         |
      | データベース       | スナップショット①         |
      | İstanbul ı    | Straße ﬁ é   |
