"""Lock files that say again what a manifest requires: kept in step where a release writes a range anew.

Promises: as for version files, nothing changes but what says the range, and the file is read again afterwards. A digest
that a tool makes is made anew only where the rule for it gives the digest that stands there; elsewhere the release is
refused before it commits, with what to do.
"""

from shipline.capabilities.version_files.locks.changed import Changed, Rewritten
from shipline.capabilities.version_files.locks.writing import is_lock, lock_paths, locked_elsewhere, write_lock

__all__ = ["Changed", "Rewritten", "is_lock", "lock_paths", "locked_elsewhere", "write_lock"]
