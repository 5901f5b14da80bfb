"""The published JSON Schema and the strict loader agree."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from shipline.configuration import parse_settings
from shipline.configuration.check import check_settings
from shipline.configuration.schema import settings_schema
from shipline.domain.errors import ConfigurationError
from tests.configuration.documents import CHECK, ENVIRONMENT

TOP = Path(__file__).parents[2]
PUBLISHED = TOP / "docs" / "reference" / "shipline.schema.json"

GOOD = {
    "nothing": "",
    "schema": "schema = 1",
    "packages": '[[package]]\nname = "@a/b"\npath = "js"\ntag_format = "{package}@{version}"\nversion_files = ["a/b"]',
    "version files": '[[package]]\nname = "a"\nversion_source = "b"\n'
    'version_files = ["b", {path = "c", kind = "marker"}, {path = "d", pattern = "v(?P<version>[0-9.]+)"}]',
    "release": '[release]\nremote = "origin"\nyank_on_rollback = true',
    "lint": '[lint]\ndefault_ignores = false\n[lint.rules]\n"type-enum" = [2, "always", ["a"]]\nheader-trim = [0]\n'
    'scope-enum = [1, "never", { scopes = ["a"], delimiters = ["-"] }]\nsubject-case = [2, "always", "lower-case"]',
    "builds": '[[build]]\nprovider = "npm"\n[[build]]\nprovider = "command"\ncommand = ["make"]\npackages = ["a"]',
    "images": '[[build]]\nprovider = "container"\ntest = [["app", "--check"]]\narguments = { A = "1" }',
    "registry": '[[registry]]\nprovider = "pypi"\nupload_url = "http://127.0.0.1/"\nyank = "remove"',
    "staging": '[[registry]]\nprovider = "pypi"\n'
    'staging = { upload_url = "http://127.0.0.1/", index_url = "http://127.0.0.1/simple/" }',
    "npm": '[[registry]]\nprovider = "npm"\nregistry_url = "http://127.0.0.1/"\naccess = "public"',
    "oci": '[[registry]]\nprovider = "oci"\nurl = "https://127.0.0.1"\nrepository = "team/{package}"',
    "generic": '[[registry]]\nprovider = "generic"\nurl = "http://127.0.0.1/{package}/{version}/{file}"',
    "registries": '[[registry]]\nprovider = "pypi"\npackages = ["a"]\n[[registry]]\nprovider = "pypi"\nname = "inside"',
    "forge": '[forge]\ntoken_env = "RELEASE_TOKEN"',
    "forge, named": '[forge]\nprovider = "gitlab"\nrepository = "a/b/c"\napi_url = "http://127.0.0.1/api/v4"',
    "signer": '[signer]\nkey = "keys/release.pem"',
    "tests": '[[test]]\nname = "unit"\ncommand = ["a", "b"]\nreports = ["junit.xml"]',
    "gates": '[[gate]]\nname = "a"\nrule = "sbom.present"\nwhen = "release.prerelease"\napprovals = { qa = 2 }',
    "environment": ENVIRONMENT,
    "environment with everything": ENVIRONMENT
    + "[environment.canary]\nalpha = 0.05\ndeadline_s = 900\npromote_after_s = 60.5\nblock_requests = 4"
    + '\n[[gate]]\nname = "a"\nrule = "sbom.present"\nstage = "production"',
    "checks": ENVIRONMENT
    + CHECK
    + '[[environment.check]]\nname = "errors"\nfigure = "error_rate"\nmin = 0\nmax = 0.01\nmode = "information"',
    "checks by others": ENVIRONMENT
    + CHECK.replace("{ url", '{ provider = "datadog", url')
    + CHECK.replace('"latency"', '"a"').replace("{ url", '{ provider = "cloudwatch", region = "eu-central-1", url')
    + CHECK.replace('"latency"', '"b"').replace("{ url", '{ provider = "cloud-monitoring", project = "quotes-1", url'),
}
BAD = {
    "another schema": "schema = 2",
    "an unknown key": "registri = 1",
    "a type": "store = 1",
    "a group without packages": '[[group]]\nname = "a"\npackages = []',
    "a path outside": '[[package]]\nname = "a"\npath = "../a"',
    "an absolute path": '[[package]]\nname = "a"\nversion_files = ["/a"]',
    "a version file's unknown key": '[[package]]\nname = "a"\nversion_files = [{file = "a"}]',
    "a version file without a path": '[[package]]\nname = "a"\nversion_files = [{kind = "marker"}]',
    "a version file outside": '[[package]]\nname = "a"\nversion_files = [{path = "../a"}]',
    "an unknown kind": '[[package]]\nname = "a"\nversion_files = [{path = "a", kind = "word"}]',
    "a pattern without version": '[[package]]\nname = "a"\nversion_files = [{path = "a", pattern = "[0-9]+"}]',
    "a version file that is a number": '[[package]]\nname = "a"\nversion_files = [1]',
    "a source outside": '[[package]]\nname = "a"\nversion_source = "/a"',
    "an unknown scheme": '[[package]]\nname = "a"\nscheme = "calver"',
    "a tag without version": '[[package]]\nname = "a"\ntag_format = "v"',
    "an option for a remote": '[release]\nremote = "--upload-pack=x"',
    "an unknown lint rule": '[lint.rules]\ntype-enums = [2, "always", ["a"]]',
    "an unknown level": '[lint.rules]\ntype-enum = [3, "always", ["a"]]',
    "a lint rule's type": '[lint.rules]\nheader-max-length = [2, "always", "a"]',
    "one builder's table": '[build]\nprovider = "python"',
    "a build by nothing": "[[build]]\nisolation = true",
    "an unknown builder": '[[build]]\nprovider = "make"',
    "no builder's key": '[[build]]\nprovider = "python"\nspeed = 3',
    "one registry's table": '[registry]\nprovider = "pypi"',
    "an unknown registry": '[[registry]]\nprovider = "attic"',
    "a registry of no kind": '[[registry]]\nname = "attic"',
    "a registry's unknown key": '[[registry]]\nprovider = "pypi"\nurl = "http://127.0.0.1/"',
    "a registry's type": '[[registry]]\nprovider = "pypi"\nanonymous = "yes"',
    "a registry's name": '[[registry]]\nprovider = "pypi"\nname = "a b"',
    "an unknown forge": '[forge]\nprovider = "sourceforge"',
    "a forge's unknown key": '[forge]\nprovider = "github"\ntoken = "x"',
    "a forge's type": '[forge]\nprovider = "github"\ntoken_env = 3',
    "a signer's unknown key": '[signer]\npassword = "x"',
    "a test without a command": '[[test]]\nname = "a"',
    "a test with an empty command": '[[test]]\nname = "a"\ncommand = []',
    "no time": '[[test]]\nname = "a"\ncommand = ["a"]\ntimeout_s = 0',
    "a gate without a rule": '[[gate]]\nname = "a"',
    "a gate's unknown key": '[[gate]]\nname = "a"\nrule = "sbom.present"\nif = "x"',
    "an approval that is no number": '[[gate]]\nname = "a"\nrule = "sbom.present"\napprovals = { qa = "x" }',
    "a name that is no name": ENVIRONMENT.replace("production", "Production"),
    "an unknown strategy": ENVIRONMENT.replace('"production"\n', '"production"\nstrategy = "x"\n'),
    "too many instances": ENVIRONMENT.replace('"production"\n', '"production"\ninstances = 101\n'),
    "no target": '[[environment]]\nname = "a"\n[environment.traffic]\nport = 8000',
    "no port": ENVIRONMENT.replace("port = 8000", ""),
    "an unknown setting of the analysis": ENVIRONMENT + "[environment.canary]\nalfa = 0.1",
    "a check without a name": ENVIRONMENT + CHECK.replace('name = "latency"', ""),
    "a check's unknown key": ENVIRONMENT + CHECK + "maximum = 1.0",
    "a check's type": ENVIRONMENT + CHECK.replace("0.5", '"0.5"'),
    "a check's unknown mode": ENVIRONMENT + CHECK + 'mode = "warning"',
    "a check that is read too often": ENVIRONMENT + CHECK + "every_s = 0",
    "a check of an unknown figure": ENVIRONMENT + '[[environment.check]]\nname = "a"\nfigure = "p90"\nmax = 1',
    "a check by nobody": ENVIRONMENT + CHECK.replace("{ url", '{ provider = "graphite", url'),
    "a source's unknown key": ENVIRONMENT + CHECK.replace("{ url", '{ token = "x", url'),
    "a source without an address": ENVIRONMENT + CHECK.replace('{ url = "http://127.0.0.1:9090" }', "{}"),
    "a type of the analysis": ENVIRONMENT + '[environment.canary]\nalpha = "0.1"',
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    made: dict[str, Any] = settings_schema()
    Draft202012Validator.check_schema(made)
    return made


def test_the_published_file_is_what_the_code_says(schema: dict[str, Any]) -> None:
    """`shipline schema > docs/reference/shipline.schema.json` writes it anew."""
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == schema


@pytest.mark.parametrize("text", GOOD.values(), ids=list(GOOD))
def test_what_is_loaded_is_valid(schema: dict[str, Any], text: str) -> None:
    check_settings(parse_settings(text.encode()))
    Draft202012Validator(schema).validate(tomllib.loads(text))


@pytest.mark.parametrize("text", BAD.values(), ids=list(BAD))
def test_what_is_not_valid_is_not_loaded(schema: dict[str, Any], text: str) -> None:
    assert not Draft202012Validator(schema).is_valid(tomllib.loads(text))
    with pytest.raises(ConfigurationError):
        check_settings(parse_settings(text.encode()))


def test_the_demo_s_settings_are_valid(schema: dict[str, Any]) -> None:
    script = (TOP / "examples" / "demo.py").read_text(encoding="utf-8")
    text = re.findall(r'SETTINGS = """\\\n(.*?)"""', script, re.DOTALL)[0].format(index=8001, proxy=8002)
    Draft202012Validator(schema).validate(tomllib.loads(text))
    check_settings(parse_settings(text.encode()))


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    assert list(undescribed(schema)) == []


def undescribed(node: Any, place: str = "") -> Any:
    """The places of the properties without a description."""
    if isinstance(node, list):
        for item in node:
            yield from undescribed(item, place)
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            if "description" not in value:
                yield f"{place}.{name}"
        for name, value in node.items():
            yield from undescribed(value, f"{place}.{name}")
