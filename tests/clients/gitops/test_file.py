"""Editing what a file says runs: these texts, and no other byte."""

from __future__ import annotations

import pytest

from shipline.clients.gitops.file import edited, texts_in
from shipline.clients.gitops.settings import GitOpsSettings
from shipline.domain.errors import ShiplineError

IMAGE, OLD, NEW = "registry.example/team/quotes", "sha256:" + "0" * 64, "sha256:" + "1" * 64
KUSTOMIZATION = GitOpsSettings(IMAGE, "kustomization.yaml", "flux", object="quotes", name="quotes")
VALUES = GitOpsSettings(
    IMAGE, "values.yaml", "flux", object="quotes", values={"image.digest": "{digest}", "image.tag": "{version}"}
)
ENTRY = f"images:\n- name: other\n  digest: {OLD}\n- name: quotes\n  newName: {IMAGE}\n"


def test_a_digest_and_the_tag_beside_it_are_set() -> None:
    """With the `v` that tags there have; another image's entry stays."""
    before = f"{ENTRY}  newTag: v1.0.0 # the tag\n  digest: '{OLD}'\n".encode()
    after = edited(KUSTOMIZATION, before, "1.1.0", NEW)
    assert after == f"{ENTRY}  newTag: v1.1.0 # the tag\n  digest: '{NEW}'\n".encode()
    assert texts_in(KUSTOMIZATION, after) == {"images.1.digest": NEW, "images.1.newTag": "v1.1.0"}
    assert edited(KUSTOMIZATION, after, "1.1.0", NEW) is after


def test_a_whole_reference_may_be_written() -> None:
    settings = GitOpsSettings(
        IMAGE,
        "pod.yaml",
        "url",
        url="https://quotes.example/version",
        values={"spec.containers.0.image": f"{IMAGE}:{{version}}@{{digest}}"},
    )
    before = f"spec:\n  containers:\n    - image: {IMAGE}:1.0.0@{OLD}\n".encode()
    assert f"{IMAGE}:1.1.0@{NEW}\n".encode() in edited(settings, before, "1.1.0", NEW)


@pytest.mark.parametrize(
    ("settings", "text", "words"),
    [
        (KUSTOMIZATION, "resources: [x.yaml]\n", "images has not one entry named quotes"),
        (KUSTOMIZATION, ENTRY + ENTRY.partition("\n")[2] + f"  digest: {OLD}\n", "images has not one entry"),
        (KUSTOMIZATION, ENTRY, "images.1.digest is not there"),
        (
            KUSTOMIZATION,
            f"images:\n- name: quotes\n  newName: x.org/quotes\n  digest: {OLD}\n",
            "stands for x.org",
        ),
        (VALUES, "image:\n  tag: '1'\n", "image.digest is not there"),
        (VALUES, f"image:\n  digest: {OLD}\n  digest: {OLD}\n  tag: '1'\n", "not once"),
        (VALUES, f"x: &d {OLD}\nimage:\n  digest: *d\n  tag: '1'\n", "image.digest is not there"),
        (VALUES, f"image:\n  digest: &d {OLD}\n  tag: '1'\nx: *d\n", "has an anchor"),
        (VALUES, f"image:\n  digest: {OLD}\n  tag: 1.0\n", "no quotes"),
        (VALUES, 'image:\n  digest: "\\x73ha256:0"\n  tag: "1"\n', "an escape"),
        (VALUES, f"image:\n  digest: |\n    {OLD}\n  tag: '1'\n", "image.digest is no plain text"),
        (
            VALUES,
            f'image:\n  digest: {OLD} # {{"$imagepolicy": "flux:x"}}\n  tag: "1"\n',
            "Flux image policy",
        ),
        (VALUES, "image: [\n", "cannot be read as YAML"),
        (VALUES, "- image\n", "image.digest is not there"),
        (VALUES, f"image:\n  digest: {OLD}\n  tag: '1'\n---\nx: 1\n", "cannot be read as YAML"),
    ],
)
def test_a_file_that_cannot_say_it_is_refused_in_words(settings: GitOpsSettings, text: str, words: str) -> None:
    with pytest.raises(ShiplineError, match="cannot say what runs") as caught:
        edited(settings, text.encode(), "1.1.0", NEW)
    assert words in caught.value.why
    assert caught.value.todo


def test_an_edit_that_would_mean_something_else_is_not_made() -> None:
    """Without quotes, 1.10 becomes a number."""
    data = f"image:\n  digest: {OLD}\n  tag: latest\n".encode()
    with pytest.raises(ShiplineError) as caught:
        edited(VALUES, data, "1.10", NEW)
    assert "differs in more than that" in caught.value.why
