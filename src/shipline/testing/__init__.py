"""Shipped with Shipline: fakes, conformance suites and World(seed), for plug-in authors and for its own tests."""
