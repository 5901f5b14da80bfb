"""The command line: each module holds one command and loads what it needs when it runs."""
