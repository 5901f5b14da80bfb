"""Registries: one file an ecosystem."""
