"""Protocol clients that several providers share."""
