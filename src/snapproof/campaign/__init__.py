"""Fault schedules, sweeps, invariants and replay over any world that the wiring hands over."""
