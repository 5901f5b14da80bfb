"""The command line: parse, build a command, render."""
