"""Rows and events: SQLAlchemy Core, migrations, the event log and its Merkle sequencer.

Not a plug-in: a tick of the engine, the rows it changes, the events it appends and the next tick share a transaction.
"""
