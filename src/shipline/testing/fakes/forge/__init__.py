"""Forges that run on this machine: one state over a real bare repository, spoken to in the dialects of three forges.

`model` is what a forge knows, `memory` the Forge port on it without HTTP, `server` the loopback server with its faults;
`github`, `gitlab` and `gitea` are the dialects. Holds what it is given, refuses what a forge refuses, fails as told.
"""
