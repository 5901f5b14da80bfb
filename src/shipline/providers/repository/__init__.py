"""Providers of the Repository port."""
