"""Providers of the Load port."""
