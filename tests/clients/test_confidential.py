"""Nothing that knows credentials sends them in the clear to another machine; one table for all that could."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from shipline.clients.checked_download import Download, download
from shipline.clients.confidential import is_confidential
from shipline.clients.oci_registry import OCIClient
from shipline.clients.simple_index import SimpleIndex
from shipline.domain.errors import ConfigurationError
from shipline.ports.provider import ProviderContext
from shipline.providers.forge.access import ForgeSettings
from shipline.providers.forge.gitea import GiteaForge
from shipline.providers.metrics.cloud_monitoring import CloudMonitoringSettings
from shipline.providers.metrics.cloudwatch import CloudWatchSettings
from shipline.providers.metrics.datadog import DatadogSettings
from shipline.providers.metrics.prometheus import PrometheusSettings
from shipline.providers.registry.generic import GenericSettings
from shipline.providers.registry.npm import NPMSettings
from shipline.providers.registry.oci import OCISettings
from shipline.providers.registry.pypi import PyPISettings
from shipline.testing.fakes.clock import FakeClock

CLOCK = FakeClock()
FILES = "/{package}/{version}/{file}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/", True),
        ("http://127.0.0.1:8080/", True),
        ("http://localhost/", True),
        ("http://[::1]:1/", True),
        ("http://example.com/", False),
        ("http://localhost.example.com/", False),
        ("http://127.0.0.1@example.com/", False),
        ("ftp://127.0.0.1/", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_credentials_go_over_https_or_to_this_machine(url: str, *, expected: bool) -> None:
    assert is_confidential(url) is expected


def forge(url: str) -> object:
    context = ProviderContext(root=Path(), state=Path(), clock=CLOCK)
    return GiteaForge(ForgeSettings("team/quotes", f"{url}/api/v1", token_env="A_TOKEN"), context).find_branch("main")


def fetch(url: str) -> None:
    download(Download(url, password_environment="A_TOKEN"), Path("never"), digests=(), bytes_max=1)


WHO_KNOWS_SOME: dict[str, Callable[[str], object]] = {
    "forge": forge,
    "download": fetch,
    "image": lambda url: OCIClient(url, "quotes", 1.0, ("robot", "secret")),
    "index": lambda url: SimpleIndex(url, CLOCK, 1.0, ("robot", "secret")).files("quotes"),
    "index of pip": lambda url: SimpleIndex(url.replace("//", "//u:secret@"), CLOCK, 1.0).files("quotes"),
    "pypi upload": lambda url: PyPISettings(upload_url=url),
    "pypi index": lambda url: PyPISettings(index_url=url, username="robot", password_environment="A_TOKEN"),
    "npm": lambda url: NPMSettings(registry_url=url, token_environment="A_TOKEN"),
    "oci": lambda url: OCISettings(url, username="robot", password_environment="A_TOKEN"),
    "generic": lambda url: GenericSettings(url + FILES, password_environment="A_TOKEN"),
    "prometheus token": lambda url: PrometheusSettings(url, token_environment="A_TOKEN"),
    "prometheus": lambda url: PrometheusSettings(url, username="robot", password_environment="A_TOKEN"),
    "datadog": lambda url: DatadogSettings(url=url),
    "cloudwatch": lambda url: CloudWatchSettings("eu-west-1", url=url),
    "cloud monitoring": lambda url: CloudMonitoringSettings("quotes-1", url=url),
}


@pytest.mark.parametrize("who", WHO_KNOWS_SOME)
def test_who_knows_credentials_refuses_another_machine_over_http(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent: the sockets of these tests are closed."""
    monkeypatch.setenv("A_TOKEN", "secret")
    with pytest.raises(ConfigurationError, match="http address of another machine") as caught:
        WHO_KNOWS_SOME[who]("http://service.example.com")
    assert "https" in caught.value.todo
    assert "secret" not in caught.value.diagnosis()


@pytest.mark.parametrize("url", ["http://service.example.com", "http://127.0.0.1:9"])
def test_without_credentials_or_on_this_machine_http_is_no_trouble(url: str) -> None:
    PyPISettings(upload_url=url, index_url=url, anonymous=True)
    NPMSettings(registry_url=url)
    OCISettings(url)
    GenericSettings(url + FILES)
    PrometheusSettings(url)
    OCIClient(url, "quotes", 1.0)
    if "127.0.0.1" in url:
        NPMSettings(registry_url=url, token_environment="A_TOKEN")
        DatadogSettings(url=url)
