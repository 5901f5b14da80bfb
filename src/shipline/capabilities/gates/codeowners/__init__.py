"""Code owners: whose approval changed files need, by the CODEOWNERS file of a forge. Pure.

Each forge reads its file by rules of its own, and so does this: GitHub's, GitLab's with its sections, Gitea's with its
regular expressions. A forge passes over what it cannot read, with a warning at most; here such a line is an error,
since what is passed over needs nobody's approval.
"""

from shipline.capabilities.gates.codeowners.owners import (
    FILE_BYTES_MAX,
    LOCATIONS,
    Need,
    Owned,
    missing_needs,
    owned,
)

__all__ = ["FILE_BYTES_MAX", "LOCATIONS", "Need", "Owned", "missing_needs", "owned"]
