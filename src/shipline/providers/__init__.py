"""One folder a port, one file a provider. Provider kinds do not know each other."""
