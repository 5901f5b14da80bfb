"""Readers of what scanners find: one module for each kind of scanner, and their rows in the table of formats."""
