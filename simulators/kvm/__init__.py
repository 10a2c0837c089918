"""Simulated KVM hosts."""
