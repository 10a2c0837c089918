"""The exemplary snapshot orchestrator for managed storage. Reaches the world only through its ports."""
