"""Target providers: where versions run."""
