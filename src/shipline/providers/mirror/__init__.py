"""Providers of the Mirror port."""
