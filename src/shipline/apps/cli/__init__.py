"""The command line: one module a command, each exposing `command`, loaded when it is called."""
