"""Doors to drivers that others wrote. Our own reference driver is not here (reference_impl/driver.py)."""
