"""Builders: one file an ecosystem."""
