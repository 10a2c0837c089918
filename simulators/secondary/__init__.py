"""Simulated secondary stores: S3 through moto, NFS as an export directory."""
