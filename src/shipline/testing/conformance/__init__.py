"""Conformance suites: one a port; fakes and real providers run the same. They need ports and domain alone."""
