"""Providers of the Command port."""
