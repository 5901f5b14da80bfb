"""Signed notes and checkpoints against the published example, and against hostile text."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipline.domain.errors import ConfigurationError
from shipline.store.checkpoints import Checkpoint, open_checkpoint
from shipline.store.merkle import EMPTY_ROOT
from shipline.store.notes import InvalidNote, NotePublicKey, NoteSigningKey, open_note

# The example of Go's golang.org/x/mod/sumdb/note (package documentation and note_test.go). Ed25519 signatures are
# deterministic, so the note must come out byte by byte.
PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NOTE = TEXT + "\n" + LINE

KEY = NoteSigningKey(name="example.org/log", seed=bytes(range(32)))


def test_the_published_example_is_signed_byte_by_byte() -> None:
    key = NoteSigningKey.parse(PRIVATE)
    assert key.sign(TEXT) == NOTE
    assert str(key.public_key) == PUBLIC
    assert key.secret_text() == PRIVATE


def test_the_published_example_is_read() -> None:
    assert open_note(NOTE, NotePublicKey.parse(PUBLIC)) == TEXT


def test_signatures_of_unknown_keys_are_left_unread() -> None:
    """A cosigner's line, of whatever algorithm, does not disturb ours, before or after it."""
    foreign = "\u2014 witness.example " + base64.b64encode(b"\x00\x01\x02\x03\x04").decode() + "\n"
    for lines in (foreign + LINE, LINE + foreign):
        assert open_note(TEXT + "\n" + lines, NotePublicKey.parse(PUBLIC)) == TEXT


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        TEXT + "\n",
        NOTE[:-1],
        NOTE.replace("answer", "Answer"),
        NOTE.replace("x08go", "x09go"),
        NOTE.replace("JnAM=", "JnAQ="),
        NOTE.replace("\u2014", "-"),
        NOTE.replace("PeterNeumann", "Peter Neumann"),
        NOTE.replace("PeterNeumann", "EnochRoot"),
        NOTE + LINE.replace("JnAM=", "JnAQ="),
        NOTE + "\u2014 PeterNeumann x08go/ZJ\n",
        NOTE + "\u2014 other AAAA\n",
        NOTE + "\u2014 other A===\n",
        NOTE + "more\n",
        TEXT.replace("think", "th\x00nk") + "\n" + LINE,
        TEXT.replace("think", "th\ud800nk") + "\n" + LINE,
        TEXT + "\n" + LINE * 101,
        "x" * 1_000_001,
    ],
)
def test_other_notes_are_refused(note: str) -> None:
    with pytest.raises(InvalidNote):
        open_note(note, NotePublicKey.parse(PUBLIC))


@given(st.text())
def test_any_text_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(InvalidNote):
        open_note(text, KEY.public_key)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a+b", "a+b+c", PUBLIC[:-4], PUBLIC.replace("c74f", "c74e"), PUBLIC.replace("+AR", "+AA"), "é+1+\u2014"],
)
def test_other_public_keys_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        NotePublicKey.parse(text)


@pytest.mark.parametrize("text", ["", PUBLIC, PRIVATE[:-4], PRIVATE.replace("c74f", "c74e"), PRIVATE + "\nmore"])
def test_other_private_keys_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        NoteSigningKey.parse(text)
    assert "AYEK" not in caught.value.diagnosis()


def test_a_key_does_not_show_its_seed() -> None:
    assert "seed" not in repr(KEY)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "x" * 201, "a\x01"])
def test_names_that_no_note_can_carry_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        NoteSigningKey(name=name, seed=bytes(32))


@pytest.mark.parametrize("text", ["no newline", "tab\t\n", "nul\x00\n"])
def test_texts_that_no_note_can_carry_are_refused(text: str) -> None:
    with pytest.raises(InvalidNote):
        KEY.sign(text)


def test_a_checkpoint_has_three_lines() -> None:
    """Origin, decimal size, base64 root; read back, also with extension lines."""
    checkpoint = Checkpoint(origin=KEY.name, size=0, root=EMPTY_ROOT)
    note = checkpoint.signed(KEY)
    text = "example.org/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    assert note.startswith(text + "\n\u2014 example.org/log ")
    assert open_checkpoint(note, KEY.public_key) == checkpoint
    assert open_checkpoint(KEY.sign(text + "extension\n"), KEY.public_key) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "example.org/log\n0\n",
        "example.org/log\n00\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "example.org/log\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "example.org/log\n\u0661\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "example.org/log\n9999999999999999999\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "example.org/log\n1\nAAAA\n",
        "example.org/log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n",
        "example.org/log\n1\n\u00e9\n",
        "example.org/other\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    ],
)
def test_other_checkpoints_are_refused_though_they_are_signed(text: str) -> None:
    with pytest.raises(InvalidNote):
        open_checkpoint(KEY.sign(text), KEY.public_key)
