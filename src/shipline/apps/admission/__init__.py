"""Policies at admission: what a cluster asks before it takes an object in, answered over TLS.

An application of its own: it has no page, no engine and no store, and shares nothing with what has.
"""
