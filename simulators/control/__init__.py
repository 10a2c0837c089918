"""One HTTP control API over all simulators of a process."""
