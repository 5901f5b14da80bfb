"""Rows and events: SQLAlchemy Core, migrations, the event log and its Merkle sequencer."""
