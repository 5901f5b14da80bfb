"""The provider for servers that take files by PUT, against a small one that keeps them in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shipline.domain.errors import ConfigurationError, ConflictError, RefusedError, ShiplineError, UnavailableError
from shipline.domain.verdict import Answer
from shipline.ports.provider import ProviderContext
from shipline.ports.registry import Registry
from shipline.providers.registry.generic import LIST_NAME, GenericRegistry, GenericSettings
from shipline.testing.conformance.registry import PACKAGE, RegistryConformance, digest, make_distributions
from shipline.testing.fakes.clock import FakeClock
from tests.drips import DRIPS, serving
from tests.file_server import Files


@pytest.fixture
def server() -> Iterator[Files]:
    made = Files()
    yield made
    made.stop()


def made(server: Files, tmp_path: Path, **changes: object) -> GenericRegistry:
    settings = GenericSettings(f"{server.url}/f/{{package}}/{{version}}/{{file}}", **changes)  # type: ignore[arg-type]  # settings by name
    return GenericRegistry(settings, ProviderContext(tmp_path, tmp_path / "state", FakeClock()))


class TestGenericRegistry(RegistryConformance):
    @pytest.fixture
    def registry(self, server: Files, tmp_path: Path) -> Registry:
        return made(server, tmp_path)

    @pytest.fixture
    def break_registry(self, server: Files) -> Callable[[], None]:
        return server.stop


def test_a_list_in_the_form_of_sha256sum_stands_beside_the_files(server: Files, tmp_path: Path) -> None:
    files = make_distributions(tmp_path / "dist", "1.0.0")
    made(server, tmp_path).publish(PACKAGE, "1.0.0", files)
    assert server.puts == [*(path.name for path in files), LIST_NAME]
    expected = "".join(f"{digest(path).removeprefix('sha256:')}  {path.name}\n" for path in sorted(files))
    assert server.files[f"/f/{PACKAGE}/1.0.0/{LIST_NAME}"].decode() == expected


def test_cut_off_before_the_list_nothing_is_there_and_nothing_is_sent_twice(server: Files, tmp_path: Path) -> None:
    files = make_distributions(tmp_path / "dist", "1.0.0")
    registry = made(server, tmp_path)
    registry.publish(PACKAGE, "1.0.0", files)
    del server.files[f"/f/{PACKAGE}/1.0.0/{LIST_NAME}"]
    assert registry.find(PACKAGE, "1.0.0") == ()
    server.puts.clear()
    registry.publish(PACKAGE, "1.0.0", files)
    assert server.puts == [LIST_NAME]


def test_names_cannot_lead_elsewhere(server: Files, tmp_path: Path) -> None:
    made(server, tmp_path).publish("@scope/../x", "1.0.0", make_distributions(tmp_path / "dist", "1.0.0"))
    assert all(path.startswith("/f/%40scope%2F..%2Fx/1.0.0/") for path in server.files)
    with pytest.raises(ShiplineError):
        made(server, tmp_path).find("..", "1.0.0")


@pytest.mark.parametrize(("status", "expected"), [(503, UnavailableError), (403, RefusedError), (301, ShiplineError)])
def test_what_the_server_answers_decides_the_error(
    server: Files, tmp_path: Path, status: int, expected: type[ShiplineError]
) -> None:
    server.status = status
    with pytest.raises(expected):
        made(server, tmp_path).publish(PACKAGE, "1.0.0", make_distributions(tmp_path / "dist", "1.0.0"))


def test_an_answer_without_the_file_proves_nothing(server: Files, tmp_path: Path) -> None:
    server.status = 204
    with pytest.raises(UnavailableError, match="does not serve it yet"):
        made(server, tmp_path).publish(PACKAGE, "1.0.0", make_distributions(tmp_path / "dist", "1.0.0"))


def test_a_token_goes_along(server: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.secret = "right"
    monkeypatch.setenv("UPLOAD_TOKEN", "a-wrong-secret")
    files = make_distributions(tmp_path / "dist", "1.0.0")
    with pytest.raises(RefusedError) as caught:
        made(server, tmp_path, password_environment="UPLOAD_TOKEN").publish(PACKAGE, "1.0.0", files)
    assert "a-wrong-secret" not in caught.value.diagnosis()
    monkeypatch.setenv("UPLOAD_TOKEN", "right")
    assert len(made(server, tmp_path, password_environment="UPLOAD_TOKEN").publish(PACKAGE, "1.0.0", files)) == 2


def test_a_list_that_is_none_is_no_empty_list(server: Files, tmp_path: Path) -> None:
    server.files[f"/f/{PACKAGE}/1.0.0/{LIST_NAME}"] = b"<html>welcome</html>"
    with pytest.raises(ShiplineError, match="no list of digests"):
        made(server, tmp_path).find(PACKAGE, "1.0.0")


def test_other_bytes_that_no_list_names_are_a_conflict_too(server: Files, tmp_path: Path) -> None:
    files = make_distributions(tmp_path / "dist", "1.0.0")
    server.files[f"/f/{PACKAGE}/1.0.0/{files[0].name}"] = b"somebody else's"
    (found,) = made(server, tmp_path).check(PACKAGE, "1.0.0", files)
    assert (found.answer, files[0].name in found.words) == (Answer.FAIL, True)
    with pytest.raises(ConflictError):
        made(server, tmp_path).publish(PACKAGE, "1.0.0", files)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"url": "ftp://example.org/{package}/{version}/{file}"}, "not an http"),
        ({"url": "https://example.org/{package}/{file}"}, r"no \{version\}"),
        ({"url": "https://a:secret@example.org/{package}/{version}/{file}"}, "holds a user name"),
        ({"url": "https://example.org/{package}/{version}/{file}", "username": "robin"}, "needs password_environment"),
    ],
)
def test_settings_that_can_only_be_mistakes_are_refused(table: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        GenericSettings(**table)  # type: ignore[arg-type]  # a table as a user may write it
    assert "secret" not in caught.value.diagnosis()


@pytest.mark.timeout(20)
@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_a_server_that_drips_holds_nothing_up(tmp_path: Path, drip: tuple[bytes, bytes]) -> None:
    with serving(*drip) as url:
        settings = GenericSettings(f"{url}/{{package}}/{{version}}/{{file}}", answer_timeout_s=0.5)
        registry = GenericRegistry(settings, ProviderContext(tmp_path, tmp_path / "state", FakeClock()))
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            registry.find(PACKAGE, "1.0.0")
        assert time.monotonic() - began < 10


@pytest.mark.timeout(20)
@pytest.mark.parametrize("drip", [DRIPS["headers"], DRIPS["processing"]])
def test_neither_does_one_that_drips_after_an_upload(tmp_path: Path, drip: tuple[bytes, bytes]) -> None:
    (file, *_) = make_distributions(tmp_path / "dist", "1.0.0")
    with serving(*drip) as url, file.open("rb") as stream:
        settings = GenericSettings(f"{url}/{{package}}/{{version}}/{{file}}", answer_timeout_s=0.5)
        registry = GenericRegistry(settings, ProviderContext(tmp_path, tmp_path / "state", FakeClock()))
        began = time.monotonic()
        with pytest.raises(UnavailableError):
            registry._put(PACKAGE, "1.0.0", file.name, stream, size=file.stat().st_size)
        assert time.monotonic() - began < 10
