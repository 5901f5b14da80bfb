"""Pure mathematics that rooms share. No I/O, no clock, no third-party packages."""
