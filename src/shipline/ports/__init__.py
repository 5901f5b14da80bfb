"""Protocols for everything outside. Synchronous; each carries an `api_version`.

A provider's constructor does no I/O. Errors are those of `shipline.domain.errors`: `retryable` says whether the
engine may call again; nobody else retries. Every effect is idempotent by the rule stated at its method.
"""
