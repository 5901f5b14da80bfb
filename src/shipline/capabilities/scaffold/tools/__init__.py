"""One module a tool: `FILES` that hold its configuration, and `read`, which answers for every key of it."""
