"""Providers of the Secrets port."""
