"""Providers of the Assistant port."""
