"""Durable execution: steps as data, a pure decide, journal, recovery and timers. Knows nothing of releases."""
