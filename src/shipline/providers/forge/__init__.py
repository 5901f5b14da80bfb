"""Providers of the Forge port, one file a forge, over one thin HTTP client."""
