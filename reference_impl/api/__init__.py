"""CloudStack's query API over the reference driver: signed requests, jobs that are polled, CloudStack's answers."""
