"""The database: CloudStack's tables, compare-and-swap steps, and the outbox."""
