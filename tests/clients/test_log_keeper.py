"""A bounded log in generations."""

from __future__ import annotations

from pathlib import Path

from shipline.clients.log_keeper import LINE_BYTES_MAX, LogKeeper, end_of_log, generation_path, generations


def contents(folder: Path) -> bytes:
    """All that is kept, in order."""
    return b"".join(generation_path(folder, number).read_bytes() for number in generations(folder))


def test_only_whole_lines_are_written_and_none_is_changed(tmp_path: Path) -> None:
    """However the pipe cuts them."""
    text = b"".join(b"line %d\n" % number for number in range(100))
    keeper = LogKeeper(tmp_path, 1, 1 << 20)
    for start in range(0, len(text), 7):
        keeper.take(text[start : start + 7])
        assert contents(tmp_path).endswith(b"\n") or not contents(tmp_path)
    keeper.end()
    assert contents(tmp_path) == text


def test_the_oldest_generations_go(tmp_path: Path) -> None:
    """The log stays within its bound, and what is left is its end."""
    keeper = LogKeeper(tmp_path, 10, 400)
    for number in range(100):
        keeper.take(b"%09d\n" % number)
    keeper.end()
    assert len(contents(tmp_path)) <= 400
    assert contents(tmp_path).endswith(b"%09d\n" % 99)
    assert len(generations(tmp_path)) == 4
    assert generations(tmp_path)[-1] == 19


def test_a_generation_is_never_used_again(tmp_path: Path) -> None:
    """A new keeper begins a new one, also when the clock went back."""
    LogKeeper(tmp_path, 10, 400).end()
    LogKeeper(tmp_path, 5, 400).end()
    assert generations(tmp_path) == [10, 11]


def test_a_line_without_end_is_bounded(tmp_path: Path) -> None:
    """Memory is, too."""
    keeper = LogKeeper(tmp_path, 1, 1 << 20)
    keeper.take(b"x" * (LINE_BYTES_MAX + 1))
    keeper.take(b"y")
    keeper.end()
    assert contents(tmp_path) == b"x" * (LINE_BYTES_MAX + 1) + b"\ny\n"


def test_the_end_of_a_log_is_its_newest_generation(tmp_path: Path) -> None:
    """Bounded; empty where there is no log; other files are none."""
    assert end_of_log(tmp_path / "none", 10) == ""
    (tmp_path / "x.log").write_text("other")
    generation_path(tmp_path, 9).write_bytes(b"older")
    generation_path(tmp_path, 10).write_bytes(b"0123456789")
    assert end_of_log(tmp_path, 4) == "6789"
