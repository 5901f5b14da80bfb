"""Scanners of others, run where they are installed and have something to look at; their reports are read at once.

Promises: what fails, is cut off or writes rubbish is told as failed and never as clean; nothing that asks another
machine runs unless somebody has named it. There is no scanner of our own.
"""
