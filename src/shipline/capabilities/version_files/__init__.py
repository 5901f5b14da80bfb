"""Room `version_files`: where the version of a package stands, in files of every ecosystem, and editing it there.

Promises: an edit changes the version's bytes and no other, whatever else the file holds; of a lock file, the entries
of the package alone; it is handed back only if a parser then reads the old document with nothing but the version
changed. A file that states no version plainly is an error, never left unchanged in silence. Checking, syncing and
releasing use the same finder. Does not decide versions (`plans` does), and does not commit.
"""

from shipline.capabilities.version_files.checking import (
    PackageCheck,
    Row,
    Stated,
    Tagged,
    Truth,
    check_package,
    judge,
)
from shipline.capabilities.version_files.committed import chosen_at, names_to_read, stated_at
from shipline.capabilities.version_files.disk import content_of, own_file, write_atomically
from shipline.capabilities.version_files.documents import check_document
from shipline.capabilities.version_files.editing import find_sites, read_version, spelling_of, write_version
from shipline.capabilities.version_files.finding import Found, check_choice, choose_version_files, find_version_files
from shipline.capabilities.version_files.kinds import KINDS, Kind, kind_by_name, kind_of
from shipline.capabilities.version_files.locks import (
    Changed,
    Rewritten,
    is_lock,
    lock_paths,
    locked_elsewhere,
    write_lock,
)
from shipline.capabilities.version_files.pins import is_pinning, pinned, write_pinned
from shipline.capabilities.version_files.requirements import required_ranges, write_requirement
from shipline.capabilities.version_files.syncing import Edit, edits_to, unified_diff, write_edits

__all__ = [
    "KINDS",
    "Changed",
    "Edit",
    "Found",
    "Kind",
    "PackageCheck",
    "Rewritten",
    "Row",
    "Stated",
    "Tagged",
    "Truth",
    "check_choice",
    "check_document",
    "check_package",
    "choose_version_files",
    "chosen_at",
    "content_of",
    "edits_to",
    "find_sites",
    "find_version_files",
    "is_lock",
    "is_pinning",
    "judge",
    "kind_by_name",
    "kind_of",
    "lock_paths",
    "locked_elsewhere",
    "names_to_read",
    "own_file",
    "pinned",
    "read_version",
    "required_ranges",
    "spelling_of",
    "stated_at",
    "unified_diff",
    "write_atomically",
    "write_edits",
    "write_lock",
    "write_pinned",
    "write_requirement",
    "write_version",
]
