"""Fakes: working small models that pass the conformance suite of their port."""
