"""The way from older databases to the schema of this release, one file a step. How it is walked is in upgrading.py."""
