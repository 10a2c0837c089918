"""snapproof: proof that volume snapshots on managed storage are what they claim to be."""

__version__ = "0.1.0.dev0"
