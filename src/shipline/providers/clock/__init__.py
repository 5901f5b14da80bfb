"""Providers of the Clock port and of ids."""
