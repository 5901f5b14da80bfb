"""What a commit that Shipline makes says beside its files: the key that it is known by, and its instant."""

from __future__ import annotations

from shipline.domain.errors import InvalidValue

KEY_TRAILER = "Shipline-Key"


def check_commit(paths: tuple[str, ...], key: str) -> None:
    """InvalidValue for a commit of nothing, or without a key of one line."""
    if not key.isprintable() or not key.strip() or not paths:
        raise InvalidValue("a release commit needs paths and a key of one line")


def with_key(message: str, key: str) -> bytes:
    """The message with the key as a trailer, beside others of its kind: git reads trailers of one paragraph."""
    text = message.rstrip()
    gap = "\n" if text.rpartition("\n")[2].startswith(f"{KEY_TRAILER}: ") else "\n\n"
    return f"{text}{gap}{KEY_TRAILER}: {key}\n".encode()


def dates(time_us: int) -> dict[str, str]:
    """The environment in which git commits at this instant."""
    date = f"@{time_us // 1_000_000} +0000"
    return {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
