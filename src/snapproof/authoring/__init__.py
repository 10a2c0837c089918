"""What helps those who write scenarios: the phrase book, near misses, lint, plans, seedlings. Judges nothing."""
