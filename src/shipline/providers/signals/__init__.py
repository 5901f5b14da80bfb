"""Signals providers: what the traffic experienced, as counts."""
