"""Lets `python -m quotes` start the service."""

from quotes.cli import main

raise SystemExit(main())
