"""What is seen of a new version: its counts, the checks beside them, and what is kept of both."""
