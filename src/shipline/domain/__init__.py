"""The shared nouns of Shipline: frozen values, their invariants and their legal transitions.

One word has one meaning here, in the code, on the command line, on the web page and in the docs.
Nothing in this package reads a clock, a file, a socket or a database.
"""
