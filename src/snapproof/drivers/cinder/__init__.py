"""Cinder volume drivers, unmodified, behind the published contract. No service of Cinder's and no database is needed.

Split by where it runs: door.py and shelf.py beside the suite, all else in the environment that has Cinder. There, what
is imported is Cinder, the standard library and modules of ours that need no more than that.
"""
