"""Signers: where a private key lives, and how it is used."""
