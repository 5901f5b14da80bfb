"""Behaviour that every Registry owes its callers.

Subclass it in a test module, supply `registry` and `break_registry`, and `files` (with `prerelease` and `identity`)
where Python's are not what the registry takes. Plug-in authors run the same suite.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from shipline.clients.oci_layout import layout_digest
from shipline.domain.errors import ConflictError, UnavailableError
from shipline.domain.verdict import Answer
from shipline.ports.attachments import ImageStore
from shipline.ports.registry import Registry
from shipline.testing.conformance.attachments import EMPTY, manifest_of

PACKAGE = "quotes-service"


class ImageRegistry(Registry, ImageStore, Protocol):
    """A registry of images."""


def digest(path: Path) -> str:
    """The identity of a file's bytes."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def make_distributions(folder: Path, version: str, *, content: str = "one") -> tuple[Path, ...]:
    """A minimal wheel and sdist of PACKAGE; `content` makes their bytes differ."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{PACKAGE.replace('-', '_')}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {version}\nSummary: {content}\n"
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {
            "METADATA": metadata,
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
        }.items():
            archive.writestr(zipfile.ZipInfo(f"{stem}.dist-info/{name}"), text)
    sdist = folder / f"{stem}.tar.gz"
    with (
        sdist.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name, text in {"PKG-INFO": metadata, "pyproject.toml": "[project]\n"}.items():
            member = tarfile.TarInfo(f"{stem}/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return (wheel, sdist)


class YankConformance:
    """What of the suite is about yanking, for a provider that yanks in several ways and publishes in one.

    Every test begins with a registry that serves nothing.
    """

    @pytest.fixture
    def registry(self) -> Registry:
        raise NotImplementedError("supply a registry that serves nothing")

    @pytest.fixture
    def files(self, tmp_path: Path) -> Callable[..., tuple[Path, ...]]:
        """Two files of PACKAGE for a version; other `content`, other bytes."""

        def make(version: str, content: str = "one") -> tuple[Path, ...]:
            return make_distributions(tmp_path / f"{version}-{content}", version, content=content)

        return make

    @pytest.fixture
    def identity(self) -> Callable[[Path], str]:
        """What the registry states as the digest of a file."""
        return digest

    def test_yanking_twice_is_yanking_once_and_says_what_it_cannot_do(
        self, registry: Registry, files: Callable[..., tuple[Path, ...]]
    ) -> None:
        registry.publish(PACKAGE, "1.0.0", files("1.0.0"))
        first = registry.yank(PACKAGE, "1.0.0", reason="fails 5% of requests")
        after = registry.find(PACKAGE, "1.0.0")
        second = registry.yank(PACKAGE, "1.0.0", reason="fails 5% of requests")
        assert registry.find(PACKAGE, "1.0.0") == after
        assert first.not_done
        assert second.not_done

    def test_a_yank_is_to_be_seen_unless_a_person_has_to_do_it(
        self, registry: Registry, files: Callable[..., tuple[Path, ...]]
    ) -> None:
        registry.publish(PACKAGE, "1.0.0", files("1.0.0"))
        assert registry.verify_yank(PACKAGE, "1.0.0").answer is not Answer.PASS
        answer = registry.yank(PACKAGE, "1.0.0", reason="broken")
        seen = registry.verify_yank(PACKAGE, "1.0.0").answer
        assert answer.done or answer.by_hand or answer.not_done
        assert (seen is Answer.FAIL) == bool(answer.by_hand)

    def test_what_was_never_published_is_yanked_without_a_word_of_trouble(self, registry: Registry) -> None:
        assert not registry.yank(PACKAGE, "1.0.0", reason="broken").by_hand
        assert registry.find(PACKAGE, "1.0.0") == ()

    def test_other_versions_stay_when_one_is_yanked(
        self, registry: Registry, files: Callable[..., tuple[Path, ...]]
    ) -> None:
        kept = registry.publish(PACKAGE, "1.0.0", files("1.0.0"))
        registry.publish(PACKAGE, "1.0.1", files("1.0.1"))
        registry.yank(PACKAGE, "1.0.1", reason="broken", back_to="1.0.0")
        assert registry.find(PACKAGE, "1.0.0") == kept
        assert registry.verify_yank(PACKAGE, "1.0.0").answer is not Answer.PASS


class RegistryConformance(YankConformance):
    """The suite. `prerelease` is a version of the channel `rc`, as the ecosystem writes it."""

    prerelease = "1.1.0rc1"

    @pytest.fixture
    def break_registry(self) -> Callable[[], None]:
        raise NotImplementedError("supply a function after which the registry cannot be reached")

    def test_a_version_that_nobody_published_has_no_files(self, registry: Registry) -> None:
        assert registry.find(PACKAGE, "1.0.0") == ()

    def test_what_is_published_is_found_with_its_digests(
        self, registry: Registry, files: Callable[..., tuple[Path, ...]], identity: Callable[[Path], str]
    ) -> None:
        built = files("1.0.0")
        served = registry.publish(PACKAGE, "1.0.0", built)
        assert {file.name: file.digest for file in served} == {path.name: identity(path) for path in built}
        assert registry.find(PACKAGE, "1.0.0") == served
        assert not any(file.yanked for file in served)

    def test_only_the_files_of_exactly_that_version_are_found(
        self, registry: Registry, files: Callable[..., tuple[Path, ...]]
    ) -> None:
        registry.publish(PACKAGE, "1.0.1", files("1.0.1"))
        assert registry.find(PACKAGE, "1.0.10") == ()
        assert registry.find(PACKAGE, "1.0.0") == ()

    def test_publishing_twice_is_publishing_once(
        self, registry: Registry, files: Callable[..., tuple[Path, ...]]
    ) -> None:
        built = files("1.0.0")
        assert registry.publish(PACKAGE, "1.0.0", built) == registry.publish(PACKAGE, "1.0.0", built)

    def test_only_what_is_missing_is_added(self, registry: Registry, files: Callable[..., tuple[Path, ...]]) -> None:
        built = files("1.0.0")
        assert len(registry.publish(PACKAGE, "1.0.0", built[:1])) == 1
        assert len(registry.publish(PACKAGE, "1.0.0", built)) == len(built)

    def test_other_bytes_under_the_same_name_are_a_conflict_that_names_both(
        self, registry: Registry, files: Callable[..., tuple[Path, ...]], identity: Callable[[Path], str]
    ) -> None:
        built, others = files("1.0.0"), files("1.0.0", "two")
        served = registry.publish(PACKAGE, "1.0.0", built)
        with pytest.raises(ConflictError) as caught:
            registry.publish(PACKAGE, "1.0.0", others)
        assert any(identity(path) in caught.value.what for path in built)
        assert any(identity(path) in caught.value.what for path in others)
        assert registry.find(PACKAGE, "1.0.0") == served

    def test_asking_first_publishes_nothing(self, registry: Registry, files: Callable[..., tuple[Path, ...]]) -> None:
        for findings in (
            registry.check(PACKAGE, "1.0.0", ()),
            registry.check(PACKAGE, "1.0.0", files("1.0.0")),
        ):
            assert findings
            assert [finding.words for finding in findings if finding.answer is Answer.FAIL] == []
        assert registry.find(PACKAGE, "1.0.0") == ()

    def test_other_bytes_are_seen_by_who_asks_first(
        self, registry: Registry, files: Callable[..., tuple[Path, ...]], identity: Callable[[Path], str]
    ) -> None:
        """Before anything is public: by a no, or by what is found."""
        registry.publish(PACKAGE, "1.0.0", files("1.0.0"))
        others = files("1.0.0", "two")
        found = {file.name: file.digest for file in registry.find(PACKAGE, "1.0.0")}
        differ = any(found.get(path.name) not in (None, identity(path)) for path in others)
        assert differ or any(one.answer is Answer.FAIL for one in registry.check(PACKAGE, "1.0.0", others))

    def test_a_pre_release_is_served_beside_the_final_versions(
        self, registry: Registry, files: Callable[..., tuple[Path, ...]]
    ) -> None:
        final = registry.publish(PACKAGE, "1.0.0", files("1.0.0"))
        served = registry.publish(PACKAGE, self.prerelease, files(self.prerelease), channel="rc")
        assert registry.find(PACKAGE, self.prerelease) == served
        assert registry.find(PACKAGE, "1.0.0") == final

    def test_out_of_reach_may_be_tried_again(
        self,
        registry: Registry,
        break_registry: Callable[[], None],
        files: Callable[..., tuple[Path, ...]],
    ) -> None:
        break_registry()
        for call in (
            lambda: registry.find(PACKAGE, "1.0.0"),
            lambda: registry.publish(PACKAGE, "1.0.0", files("1.0.0")),
            lambda: registry.check(PACKAGE, "1.0.0", files("1.0.0")),
            lambda: registry.yank(PACKAGE, "1.0.0", reason="broken"),
            lambda: registry.verify_yank(PACKAGE, "1.0.0"),
        ):
            with pytest.raises(UnavailableError) as caught:
                call()
            assert caught.value.retryable


class ImageStoreConformance:
    """Behaviour that a Registry of images owes besides. Supply `registry`, which serves nothing, and `image`: a layout
    of PACKAGE for a version."""

    @pytest.fixture
    def registry(self) -> ImageRegistry:
        raise NotImplementedError("supply a registry that serves nothing")

    @pytest.fixture
    def image(self) -> Callable[[str], Path]:
        raise NotImplementedError("supply what makes a layout")

    def test_what_is_stored_is_there_by_its_digest_and_no_tag_names_it(
        self, registry: ImageRegistry, image: Callable[[str], Path]
    ) -> None:
        stored = registry.store(PACKAGE, "1.0.0", image("1.0.0"))
        assert stored.subject.digest == layout_digest(image("1.0.0"))
        assert registry.attachments(PACKAGE).resolve(stored.subject.digest) == stored.subject
        assert registry.find(PACKAGE, "1.0.0") == ()
        assert registry.attachments(PACKAGE).resolve(stored.tag) is None
        assert PACKAGE in stored.name

    def test_storing_twice_is_storing_once_and_what_hangs_on_it_stays_when_it_is_published(
        self, registry: ImageRegistry, image: Callable[[str], Path]
    ) -> None:
        stored = registry.store(PACKAGE, "1.0.0", image("1.0.0"))
        hanging = manifest_of(b"signature", stored.subject)
        for content in (b"signature", EMPTY):
            registry.attachments(PACKAGE).write_blob(content)
        written = registry.attachments(PACKAGE).write_referrer(stored.subject, hanging)
        assert registry.store(PACKAGE, "1.0.0", image("1.0.0")) == stored
        (served,) = registry.publish(PACKAGE, "1.0.0", (image("1.0.0"),))
        assert served.digest == stored.subject.digest
        assert registry.attachments(PACKAGE).referrers(stored.subject.digest) == (written,)
