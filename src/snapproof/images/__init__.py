"""Disk images of the world outside: raw, VHD and QCOW2 files read and written by declared format, never by probing."""
