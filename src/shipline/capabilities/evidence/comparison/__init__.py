"""Two reports of one kind compared: what a change made better, worse, or took away. Pure.

The earlier report is the base, the later one the head. What comes of it is a document for people and programs, and
facts that gates may ask for: they have no meaning for one report alone.
"""

from shipline.capabilities.evidence.comparison.changes import ChangedLines, read_diff
from shipline.capabilities.evidence.comparison.compared import COMPARABLE, SCHEMA, Comparison, compare
from shipline.capabilities.evidence.comparison.merged import merged, packed, unpacked

__all__ = ["COMPARABLE", "SCHEMA", "ChangedLines", "Comparison", "compare", "merged", "packed", "read_diff", "unpacked"]
