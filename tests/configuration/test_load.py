"""`shipline.toml` is read strictly, and says what is wrong where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from shipline.configuration import EnvironmentSettings, Settings, find_root, load_settings, parse_settings
from shipline.configuration.check import check_settings
from shipline.configuration.given import check_given
from shipline.domain.errors import ConfigurationError
from tests.configuration.documents import CHECK, ENVIRONMENT

ELSEWHERE = """
[[environment]]
name = "production"
target.command = ["{prefix}/bin/quotes", "--port", "{port}"]
traffic = { provider = "gateway-api", route = "quotes", port = 80, namespace = "quotes" }
"""
SIGNALS = """
[environment.signals]
provider = "prometheus"
url = "http://127.0.0.1:9090"
requests = 'http_requests_total'
errors = 'http_errors_total'
"""


def refusal(text: str) -> str:
    """What people are told about a file that is refused."""
    with pytest.raises(ConfigurationError) as caught:
        check_settings(parse_settings(text.encode()))
    assert caught.value.exit_code == 2
    return caught.value.diagnosis()


@pytest.mark.parametrize(
    "tag_format", ["v{version}", "{package}@{version}", "@a/b-v{version}", "r/{package}/{version}.x", "{version}", ""]
)
def test_tag_formats_as_people_have_them_are_taken(tag_format: str) -> None:
    text = f'[[package]]\nname = "a"\ntag_format = "{tag_format}"\n'
    assert parse_settings(text.encode()).package[0].tag_format == tag_format


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings()


def test_the_root_is_the_nearest_folder_with_a_file_or_a_repository(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    assert find_root(inner) == tmp_path
    (tmp_path / "a" / "shipline.toml").touch()
    assert find_root(inner) == tmp_path / "a"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("registri = 1", ["shipline.toml: unknown field 'registri'", "did you mean 'registry'?", "environment"]),
        ('[[test]]\nname = "u"\ncommand = ["a"]\ntimeout = 3', ["test[0]", "'timeout'", "did you mean 'timeout_s'?"]),
        ("[release]\nbranch = 3", ["shipline.toml, release.branch: expected str, found int"]),
        ('[registry]\nprovider = "pypi"', ["[registry] is one table", "write [[registry]]"]),
        ("[build]\nisolation = true", ["[build] is one table", "write [[build]]"]),
        ("a = ", ["is not valid TOML"]),
        ("schema = 2", ["schema", "'2' is not known; known are 1"]),
        ('[[package]]\nname = "a"\necosystem = "rust"', ["package[0].ecosystem", "python, npm, cargo, helm, plain"]),
        ('[[package]]\nname = "a"\npath = "libs/*"', ["'a'", "several folders"]),
        ('[[group]]\nname = "a"\npackages = []', ["group[0].packages"]),
        ('[[package]]\nname = "a"\npath = "../b"', ["package[0].path", "inside the repository"]),
        ('[[package]]\nname = "a"\nversion_files = ["/etc/passwd"]', ["version_files[0]", "inside the repository"]),
        ('[[package]]\nname = "a"\ntag_format = "v"', ["tag_format", "{version}"]),
        ('[[package]]\nname = "a"\ntag_format = "v {version}"', ["package[0].tag_format", "a tag that git takes"]),
        ('[[package]]\nname = "a"\ntag_format = "a..{version}"', ["package[0].tag_format", "a tag that git takes"]),
        ('[[package]]\nname = "a"\nscheme = "calver:ZZ"', ["package 'a'", "no CalVer format"]),
        ('[release]\nmode = "pull-request"\nremote = "origin"', ["need a forge and a remote", "set [forge]"]),
        ('[[test]]\nname = "/etc"\ncommand = ["a"]', ["test[0].name", "'/etc' is not 1 to 30 of letters"]),
        ('[[test]]\nname = "../x"\ncommand = ["a"]', ["test[0].name", "'../x' is not"]),
        ('[[test]]\nname = "u"\ncommand = ["a"]\nreports = ["a/b.xml"]', ["test[0].reports[0]", "'a/b.xml' is not"]),
        ('[[test]]\nname = "u"\ncommand = []', ["test[0].command", "needs 1 or more"]),
        (ENVIRONMENT.replace("production", "Pro duction"), ["environment[0].name", "a-z, 0-9 and -"]),
        (
            ENVIRONMENT.replace('"production"\n', '"production"\nstrategy = "hope"\n'),
            ["'hope'", "rolling, all-at-once"],
        ),
        (ENVIRONMENT.replace('"production"\n', '"production"\ninstances = 0\n'), ["instances", "must be 1 to 100"]),
        (ENVIRONMENT + CHECK.replace("0.5", "true"), ["environment[0].check[0].max", "float"]),
        (ENVIRONMENT + CHECK + "failures_max = -1", ["environment[0].check[0].failures_max", "must be 0 to 1000"]),
        (ENVIRONMENT + CHECK + CHECK, ["two [[environment.check]] tables are named 'production/latency'"]),
        (ENVIRONMENT + ENVIRONMENT, ["two [[environment]] tables are named 'production'"]),
        (
            '[[gate]]\nname = "a"\nrule = "sbom.present"\nstage = "prod"',
            ["unknown stage 'prod'", "known ones: pull-request, release"],
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(text: str, told: list[str]) -> None:
    diagnosis = refusal(text)
    assert all(part in diagnosis for part in told), diagnosis


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[registry]]\nprovider = "pipy"', ["no registry provider 'pipy'", "known ones: "]),
        ("[[registry]]\nprovider = 3", ["shipline.toml, registry, provider: expected str, found int"]),
        ('[[registry]]\nname = "a"', ["shipline.toml, registry: `provider` is missing", "known ones: "]),
        (
            '[[registry]]\nprovider = "pypi"\nindex = "http://a/"',
            ["registry provider pypi", "did you mean 'index_url'?"],
        ),
        ('[[registry]]\nprovider = "pypi"\nindex_url = "ftp://a/"', ["index_url is not an http or https address"]),
        ('[[registry]]\nprovider = "pypi"\n' * 2, ["two [[registry]] tables are named 'pypi'", "a `name` of its own"]),
        (
            '[[package]]\nname = "a"\n[[registry]]\nprovider = "pypi"\npackages = ["b"]',
            ["registry pypi: there is no package 'b'", "known ones: a"],
        ),
        ('[signer]\nkeys = "a"', ["signer provider file", "did you mean 'key'?"]),
        ('[[build]]\nprovider = "python"\nisolated = true', ["did you mean 'isolation'?"]),
        (
            "[[build]]\nisolation = true",
            ["builder: `provider` is missing", "command, container, helm, npm, oci-artifact, python, site"],
        ),
        ('[[build]]\nprovider = "container"\nengine = "kaniko"', ["kaniko", "buildkit, buildah, podman"]),
        (ENVIRONMENT.replace("port =", "prot ="), ["environment production", "'prot'", "did you mean 'port'?"]),
        (ENVIRONMENT.replace("{port}", "{prot}"), ["unknown placeholder {prot}"]),
        (ENVIRONMENT + "[environment.canary]\ntick = 1.0", ["production, canary", "did you mean 'tick_s'?"]),
        (ENVIRONMENT + "[environment.canary]\nweight_max = 0.9", ["weight_max is at most 0.5"]),
        (ENVIRONMENT + "[environment.canary]\ntick_s = 3600", ["tick_s is at most 600"]),
        (ENVIRONMENT + "[environment.canary]\nharm_budget_requests = 1e9", ["harm_budget_requests is at most 100000"]),
        (ENVIRONMENT + "[environment.canary]\ndeadline_s = 1e13", ["deadline_s is at most 2592000"]),
        (ENVIRONMENT + CHECK.replace("max = 0.5", ""), ["production, check 'latency'", "has min, max or both"]),
        (ENVIRONMENT + CHECK + "min = nan", ["check 'latency'", "not infinite and not NaN"]),
        (ENVIRONMENT + CHECK + "min = 0.6", ["check 'latency'", "no value would be good"]),
        (ENVIRONMENT + CHECK.replace("max(", "{verison} + max("), ["check 'latency'", "{verison}", "{version}"]),
        (ENVIRONMENT + CHECK + 'figure = "p99"', ["check 'latency'", "has no metrics"]),
        (ENVIRONMENT + CHECK.replace("127.0.0.1:9090", "a:b@c"), ["metrics provider", "plain address"]),
        (ENVIRONMENT + CHECK.replace("url", "ulr"), ["metrics provider prometheus", "did you mean 'url'?"]),
        (ENVIRONMENT + CHECK.replace("metrics =", "#"), ["metrics provider prometheus", "'url' is missing"]),
        (ENVIRONMENT + '[[environment.check]]\nname = "a"\nmax = 1', ["either a query or a figure", "p99"]),
        (
            ENVIRONMENT + '[[environment.check]]\nname = "a"\nfigure = "success_rate"\nmin = 99',
            ["check 'a'", "write 99% as 0.99"],
        ),
        (
            ENVIRONMENT + "".join(CHECK.replace("latency", f"latency{number}") for number in range(21)),
            ["21 checks", "20 are the most"],
        ),
        (ENVIRONMENT + '[environment.variables]\nA-B = ""', ["environment production: 'A-B' is not the name"]),
        (ENVIRONMENT + '[environment.variables]\nPATH = ""', ["production: PATH cannot be given"]),
        (ENVIRONMENT + '[environment.variables]\nA = "\\u0000"', ["the value of the variable A", "NUL"]),
        (
            ENVIRONMENT + '[environment.variables]\nA = ""\n[environment.secrets]\nA = {file = "/a"}',
            ["production: A is a variable and a secret"],
        ),
        (ENVIRONMENT + "[environment.secrets]\nA = {}", ["production: the secret A", 'environment = "NAME"']),
        (ENVIRONMENT + '[environment.secrets]\nA = {value = "hunter2"}', ["a secret is said by where it is"]),
        (ENVIRONMENT + "[environment.secrets]\nA = {file = 3}", ["the secret A", "expected str, found int"]),
        (ENVIRONMENT + '[environment.secrets]\nA = {file = ""}', ["the secret A", "1 to 500 characters"]),
        (
            ENVIRONMENT + '[environment.secrets]\nA = {provider = "vault", key = "a"}',
            ["no secrets provider 'vault'", "known ones: command, environment, file"],
        ),
        (
            ENVIRONMENT + '[environment.secrets]\nA = {provider = "command", command = ["op"], key = "a"}',
            ["the secret A", "no argument holds {key}"],
        ),
        (
            ELSEWHERE,
            ["environment production: nobody counts the requests there", "strategy canary", "[environment.signals]"],
        ),
        (
            ELSEWHERE + 'strategy = "rolling"\n[[environment.check]]\nname = "a"\nfigure = "p99"\nmax = 1',
            ["nobody counts the requests", "the check 'a' of a figure"],
        ),
        (ELSEWHERE + 'signals.url = "http://a"', ["signals provider haproxy", "unknown field 'url'"]),
        (
            ELSEWHERE + SIGNALS.replace("http_requests_total", "rate(a[5m])"),
            ["signals provider prometheus", "no selector"],
        ),
        ('[[gate]]\nname = "c"\nrule = "coverge.line > 1.0"', ["gate 'c'", "coverge.line", "coverage.line"]),
        ('[[gate]]\nname = "c"\nrule = "coverage.line"', ["gate 'c'", "true or false"]),
        ('[[gate]]\nname = "c"\nrule = "sbom.present"\nwhen = "1 +"', ["gate 'c'"]),
        ('[[gate]]\nname = "c"\nrule = "sbom.present"\napprovals = { qa = 0 }', ["gate 'c'", "1 to 100"]),
        ('[[hook]]\nforge = "github"\nsecrets = [{ environment = "X" }]\nmend = true', ["cannot be mended", "set url"]),
        (
            '[[hook]]\nforge = "github"\nsecrets = [{ environment = "X" }]\nurl = "https://x/hooks/github/"',
            ["not where this server takes hooks", "/hooks/github"],
        ),
    ],
)
def test_tables_of_providers_and_rules_of_gates_are_checked_by_their_owners(text: str, told: list[str]) -> None:
    parse_settings(text.encode())  # Which is all that a plan needs.
    diagnosis = refusal(text)
    assert all(part in diagnosis for part in told), diagnosis


def test_a_file_that_cannot_be_read_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "shipline.toml").mkdir()
    with pytest.raises(ConfigurationError, match=r"shipline\.toml cannot be read"):
        load_settings(tmp_path)
    with pytest.raises(ConfigurationError, match="larger than 1 MiB"):
        parse_settings(b"#" * (1 << 20) + b"#")


@pytest.mark.parametrize("more", ['strategy = "rolling"', SIGNALS], ids=["no canary", "counts from elsewhere"])
def test_traffic_that_counts_nothing_will_do(more: str) -> None:
    """Where nobody asks for counts, or somebody else has them."""
    check_settings(parse_settings((ELSEWHERE + more).encode()))


GIVEN = """
[environment.variables]
LEVEL = "debug"
[environment.secrets]
DB = { file = "/run/secrets/db" }
KEY = { environment = "PRODUCTION_KEY" }
API = { provider = "command", command = ["op", "read", "{key}"], key = "op://vault/api" }
"""


def test_what_an_environment_gives_is_taken() -> None:
    check_settings(parse_settings((ENVIRONMENT + GIVEN).encode()))


@pytest.mark.parametrize("what", ["variables", "secrets"])
def test_a_target_that_gives_none_is_refused_with_those_that_do(what: str) -> None:
    """Rather than a service that starts without its settings."""
    entry = 'A = ""' if what == "variables" else 'A = {file = "/a"}'
    text = f"""
[[environment]]
name = "site"
strategy = "all-at-once"
[environment.target]
provider = "static"
folder = "/srv/site"
[environment.traffic]
provider = "static"
folder = "/srv/site"
address = "127.0.0.1:80"
[environment.{what}]
{entry}
"""
    diagnosis = refusal(text)
    assert f"the target static gives no {what}" in diagnosis
    assert "process" in diagnosis


@pytest.mark.parametrize("target", ["ecs", "cloud-run"])
def test_a_target_whose_platform_has_its_own_secrets_gives_variables_alone(target: str) -> None:
    """Which file names those, the documentation says."""
    environment = EnvironmentSettings("production", target={"provider": target}, variables={"A": ""})
    check_given(environment)
    with pytest.raises(ConfigurationError, match=f"the target {target} gives no secrets"):
        check_given(replace(environment, secrets={"B": {"file": "/b"}}))
