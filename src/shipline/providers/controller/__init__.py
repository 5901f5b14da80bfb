"""Providers of the port `controller`."""
