"""Providers of the metrics port."""
