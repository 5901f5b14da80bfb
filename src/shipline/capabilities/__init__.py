"""The rooms, in the order of the flow; a later room may use an earlier one's face, never the reverse."""
