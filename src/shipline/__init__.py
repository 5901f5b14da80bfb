"""Shipline: from merged commits to a released, proven, progressively delivered and reversible version."""

__version__ = "0.1.0"
