"""States, plans and rules as tables and pure functions. No I/O, no clock, no dice."""
