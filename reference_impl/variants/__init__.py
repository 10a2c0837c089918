"""The broken zoo: drivers that deviate from the reference in one thing each, and say which rule that breaks."""
