"""OCI layouts: what is whole is read, and whatever is not, or wants to lead elsewhere, is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shipline.clients.oci_layout import layout_digest, layout_name, open_layout
from shipline.domain.errors import InvalidValue
from tests.images import INDEX, blob, make_layout, packed


def test_manifests_come_before_what_points_to_them(tmp_path: Path) -> None:
    with open_layout(make_layout(tmp_path / "a.oci")) as layout:
        found = layout.manifests()
    assert [len(manifest.blobs) for manifest in found] == [2, 2, 0]
    assert found[-1].descriptor == layout.root


def test_a_folder_and_a_tar_of_it_are_one_image(tmp_path: Path) -> None:
    image = make_layout(tmp_path / "a.oci")
    assert layout_digest(image) == layout_digest(packed(image))


@pytest.mark.parametrize(("package", "name"), [("quotes", "quotes-1.0.0.oci"), ("@a/b", "_a_b-1.0.0.oci")])
def test_its_name_is_a_file_name_whatever_the_package_is_called(package: str, name: str) -> None:
    assert layout_name(package, "1.0.0") == name


def set_index(image: Path, document: object) -> None:
    (image / "index.json").write_text(json.dumps(document))


def root_of(image: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((image / "index.json").read_text())["manifests"][0]
    return found


def outside(image: Path) -> None:
    """A blob that is a link to a file elsewhere."""
    secret = image.with_name("secret")
    place = next(path for path in (image / "blobs" / "sha256").iterdir() if path.read_bytes() == b"one amd64")
    secret.write_bytes(place.read_bytes())
    place.unlink()
    place.symlink_to(secret)


def circle(image: Path) -> None:
    """Indexes of indexes of indexes."""
    inner = root_of(image)
    for _ in range(4):
        inner = blob(image, json.dumps({"schemaVersion": 2, "manifests": [inner]}).encode(), INDEX)
    set_index(image, {"manifests": [inner]})


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no layout": (lambda image: (image / "oci-layout").unlink(), "is missing"),
    "another version": (lambda image: (image / "oci-layout").write_text("{}"), "no OCI image layout"),
    "no JSON": (lambda image: (image / "index.json").write_text("<"), "no JSON object"),
    "deep JSON": (lambda image: (image / "index.json").write_text("[" * 100_000), "no JSON object"),
    "two images": (lambda image: set_index(image, {"manifests": [root_of(image)] * 2}), "lists 2 images"),
    "no image": (lambda image: set_index(image, {"manifests": []}), "lists 0 images"),
    "no descriptor": (lambda image: set_index(image, {"manifests": ["x"]}), "no media type"),
    "a path for a digest": (
        lambda image: set_index(image, {"manifests": [root_of(image) | {"digest": "sha256:../../secret"}]}),
        "no media type",
    ),
    "another size": (lambda image: set_index(image, {"manifests": [root_of(image) | {"size": 1}]}), "other bytes"),
    "an unknown type": (
        lambda image: set_index(image, {"manifests": [root_of(image) | {"mediaType": "text/html"}]}),
        "no manifest that is known",
    ),
    "a link": (outside, "is a link"),
    "too deep": (circle, "nested too deep"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=list(DAMAGES))
def test_what_is_not_whole_is_refused(tmp_path: Path, damage: Callable[[Path], object], message: str) -> None:
    image = make_layout(tmp_path / "a.oci")
    damage(image)
    with pytest.raises(InvalidValue, match=message):
        layout_digest(image)


def test_a_file_that_is_no_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.oci").write_bytes(b"x" * 2000)
    with pytest.raises(InvalidValue, match="neither a folder nor a tar"):
        layout_digest(tmp_path / "a.oci")
    with pytest.raises(InvalidValue):
        layout_digest(tmp_path / "nowhere.oci")
