"""`python -m snapproof` is the command `snapproof` (cli.py)."""

import sys

from snapproof.cli import main

if __name__ == "__main__":
    sys.exit(main())
