"""Fake worlds that real, unmodified clients accept. They know nothing of the suite, the reference or one another."""
