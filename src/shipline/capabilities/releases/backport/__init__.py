"""Bringing changes to another branch: a hotfix to where the next release comes from, a fix to a maintenance line.

What is so is read from git alone, so it works from a fresh clone and needs no store. Changes are carried over in a
branch of their own, for people to merge; nobody's work tree is touched, and what conflicts leaves nothing behind.
"""

from shipline.capabilities.releases.backport.proposing import Backport, BackportGround, BackportWish, bring_back
from shipline.capabilities.releases.backport.rules import named_commit

__all__ = ["Backport", "BackportGround", "BackportWish", "bring_back", "named_commit"]
