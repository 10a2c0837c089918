"""What a run leaves behind: pages, JUnit, JSON. Judges nothing; verdict.py does."""
