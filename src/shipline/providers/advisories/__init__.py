"""Providers of the Advisories port."""
