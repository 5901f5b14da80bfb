"""The edges: parse, build a command, render."""
