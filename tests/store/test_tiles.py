"""The log as tiles: where they lie, that they go on, what is refused, and that a verifier of others' believes them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from shipline.domain.errors import NothingToDo, RefusedError
from shipline.store import merkle
from shipline.store.database import Store
from shipline.store.errors import CorruptStore
from shipline.store.log import sequence
from shipline.store.notes import InvalidNote, NoteSigningKey
from shipline.store.tables import event as event_table
from shipline.store.tables import merkle_node
from shipline.store.tiles import TileExport, export_tiles, tile_path
from tests.gotools import GoMissing, built
from tests.store.logs import KEY, PUBLIC, append, event


def grow(store: Store, first: int, last: int) -> None:
    """Events from `first` to before `last`, in one transaction, sealed."""
    with store.begin() as tx:
        for number in range(first, last):
            tx.append(event(number, f"s:{number}"))
    sequence(store, KEY)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def log(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url).open()
    yield store
    store.close()


@pytest.mark.parametrize(
    ("kind", "index", "width", "path"),
    [
        ("0", 0, 256, "tile/0/000"),
        ("0", 273, 112, "tile/0/273.p/112"),
        ("2", 0, 1, "tile/2/000.p/1"),
        ("entries", 1234067, 256, "tile/entries/x001/x234/067"),
        ("1", 1000, 256, "tile/1/x001/000"),
    ],
)
def test_tiles_lie_where_the_specification_says(kind: str, index: int, width: int, path: str) -> None:
    """The examples of https://c2sp.org/tlog-tiles."""
    assert tile_path(kind, index, width) == path


def test_an_export_holds_the_whole_log(store: Store, tmp_path: Path) -> None:
    """Leaves after their lengths, hashes one after the other, and the checkpoint."""
    append(store, [event(number) for number in range(3)])
    sequence(store, KEY)
    assert export_tiles(store, PUBLIC, tmp_path / "log") == TileExport(3, 0, 3)
    files = files_of(tmp_path / "log")
    assert sorted(files) == ["checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"]
    data, hashes = files["tile/entries/000.p/3"], []
    while data:
        length = int.from_bytes(data[:2], "big")
        hashes.append(merkle.leaf_hash(data[2 : 2 + length]))
        data = data[2 + length :]
    assert b"".join(hashes) == files["tile/0/000.p/3"]


def test_a_later_export_goes_on_and_tidies_up(log: Store, tmp_path: Path) -> None:
    """Full tiles stay as they are, partial ones go once the full one is there; both ways lead to the same folder."""
    place, fresh = tmp_path / "log", tmp_path / "fresh"
    for before, size in ((0, 200), (200, 300), (300, 515)):
        grow(log, before, size)
        assert export_tiles(log, PUBLIC, place).before == before
    export_tiles(log, PUBLIC, fresh)
    names = ["checkpoint", "tile/0/000", "tile/0/001", "tile/0/002.p/3", "tile/1/000.p/2"]
    names += ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/3"]
    assert sorted(files_of(fresh)) == sorted(names)
    # Of a tile that is partial in both, the older part stays: somebody may hold the checkpoint that needs it.
    assert files_of(fresh).items() <= files_of(place).items()
    assert set(files_of(place)) - set(names) == {"tile/1/000.p/1"}
    with pytest.raises(NothingToDo, match="all 515 events"):
        export_tiles(log, PUBLIC, place)


def test_an_export_that_was_cut_off_is_begun_again(log: Store, tmp_path: Path) -> None:
    """What it has written is compared; a draft that was left over does no harm."""
    grow(log, 0, 300)
    export_tiles(log, PUBLIC, tmp_path)
    whole = files_of(tmp_path)
    (tmp_path / "checkpoint").unlink()
    (tmp_path / "tile/1/000.p/1").unlink()
    assert export_tiles(log, PUBLIC, tmp_path) == TileExport(300, 0, 2)
    assert files_of(tmp_path) == whole
    (tmp_path / "checkpoint").unlink()
    (tmp_path / "tile/0/000").write_bytes(b"other")
    with pytest.raises(RefusedError, match="not what the log holds there"):
        export_tiles(log, PUBLIC, tmp_path)


def test_a_folder_is_a_witness(log: Store, tmp_path: Path, sqlite_template: Path) -> None:
    """A log that was cut, written anew, or is another one, does not go on from it."""
    grow(log, 0, 5)
    export_tiles(log, PUBLIC, tmp_path / "log")
    again = tmp_path / "again.db"
    again.write_bytes(sqlite_template.read_bytes())
    forged = Store(f"sqlite:///{again}").open()
    grow(forged, 0, 4)
    with pytest.raises(RefusedError, match="does not go on"):
        export_tiles(forged, PUBLIC, tmp_path / "log")
    grow(forged, 90, 95)
    with pytest.raises(RefusedError, match="does not go on"):
        export_tiles(forged, PUBLIC, tmp_path / "log")
    forged.close()
    other = NoteSigningKey(name="example.org/other", seed=bytes(32)).public_key
    with pytest.raises(InvalidNote, match="not signed by"):
        export_tiles(log, other, tmp_path / "elsewhere")
    (tmp_path / "log" / "checkpoint").write_text("something else")
    with pytest.raises(RefusedError, match="another log"):
        export_tiles(log, PUBLIC, tmp_path / "log")


@pytest.mark.parametrize("broken", ["leaf", "node", "event"])
def test_what_does_not_verify_is_not_exported(log: Store, tmp_path: Path, broken: str) -> None:
    """A verifier would refuse it later, and nobody would know since when."""
    grow(log, 0, 300)
    with log.begin() as tx:
        level, index = (0, 270) if broken == "leaf" else (8, 0)
        at = (merkle_node.c.level == level) & (merkle_node.c.index == index)
        if broken == "event":
            tx.connection.execute(update(event_table).where(event_table.c.place == 7).values(kind="Other"))
        else:
            tx.connection.execute(update(merkle_node).where(at).values(hash="00" * 32))
    with pytest.raises(CorruptStore):
        export_tiles(log, PUBLIC, tmp_path)
    assert not (tmp_path / "checkpoint").exists()


def test_an_empty_log_has_nothing_to_export(log: Store, tmp_path: Path) -> None:
    append(log, [event(1)])
    with pytest.raises(NothingToDo, match="no checkpoint"):
        export_tiles(log, PUBLIC, tmp_path)


def test_gos_own_verifier_believes_the_tiles(log: Store, tmp_path: Path) -> None:
    """Every record is proven by golang.org/x/mod/sumdb, as is each growth; a byte that was changed is found."""
    try:
        verifier = built(Path(__file__).parents[1] / "go" / "verify_tiles.go", "golang.org/x/mod/sumdb", tmp_path)
    except GoMissing as missing:
        pytest.skip(str(missing))
    folder = tmp_path / "log"
    for before, size in ((0, 1), (1, 256), (256, 515)):
        grow(log, before, size)
        export_tiles(log, PUBLIC, folder)
        done = subprocess.run([verifier, folder, str(PUBLIC)], capture_output=True, text=True, check=False)
        assert done.stdout == f"proven: {size}\n"
    for name in ("tile/0/001", "tile/entries/000", "checkpoint"):
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(kept[:40] + bytes([kept[40] ^ 1]) + kept[41:])
        done = subprocess.run([verifier, folder, str(PUBLIC)], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        (folder / name).write_bytes(kept)
