"""The ports of ports.py spoken to real services: Element, XenAPI, S3, NFS."""
