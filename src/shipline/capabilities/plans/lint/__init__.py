"""Commit lint: commit messages -> problems, by commitlint's rules under commitlint's names.

Promises: pure; any text is judged, nothing raises for a message; linear in the length of the message. What a
`commit-msg` hook runs for a message that it cannot pass by itself (`__main__`) takes its time from every such commit,
so the modules that judge (`message`, `cases`, `rules`, `judge`, `proposals`, `report`) import nothing of the standard
library at their tops: not `re`, not `dataclasses`, which cost more than the judging. `settings` and `bulk` may.
"""
