"""Which version the files of a commit state, for a package that was never released. No file is opened."""

from __future__ import annotations

import pytest

from shipline.capabilities.version_files import chosen_at, names_to_read, stated_at
from shipline.domain.package import Package
from shipline.domain.version_file import VersionFile

POM = "<project><parent><version>9</version></parent><version>2.3.0</version></project>"


def stated(package: Package, files: dict[str, str], others: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    return stated_at(package, sorted(files), lambda path: files[path].encode() if path in files else None, others)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("VERSION", "2.3.0\n"),
        ("pom.xml", POM),
        ("composer.json", '{"name": "a/b", "version": "2.3.0"}'),
        ("build.gradle", "version = '2.3.0'\n"),
        ("build.gradle.kts", 'version = "2.3.0"\n'),
        ("gradle.properties", "version=2.3.0\n"),
        ("app.gemspec", 'Gem::Specification.new do |spec|\n  spec.version = "2.3.0"\nend\n'),
        ("setup.cfg", "[metadata]\nname = app\nversion = 2.3.0\n"),
        ("app/__init__.py", '__version__ = "2.3.0"\n'),
        ("src/app/_version.py", '__version__ = "2.3.0"\n'),
        ("Dockerfile", 'FROM scratch\nLABEL org.opencontainers.image.version="2.3.0"\n'),
        ("kustomization.yaml", "images:\n- name: app\n  newTag: v2.3.0\n"),
    ],
)
def test_every_kind_that_a_release_edits_is_read(path: str, text: str) -> None:
    noise = {"package-lock.json": '{"version": "9.0.0"}', "a/b/c/__init__.py": '__version__ = "9"', "docs/VERSION": "9"}
    assert stated(Package("app"), {path: text, **noise}) == [(path, "2.3.0")]
    folder = {f"libs/app/{name}": content for name, content in ({path: text} | noise).items()}
    assert stated(Package("app", "libs/app"), {**folder, "VERSION": "9.9.9"}) == [(f"libs/app/{path}", "2.3.0")]


def test_a_gem_s_version_may_stand_in_its_module() -> None:
    files = {"app.gemspec": "spec.version = App::VERSION\n", "lib/app/version.rb": 'VERSION = "2.3.0"\n'}
    assert stated(Package("app"), files) == [("lib/app/version.rb", "2.3.0")]


def test_manifests_come_first_and_what_they_name_is_followed() -> None:
    project = (
        '[project]\nname = "app"\ndynamic = ["version"]\n[tool.setuptools.dynamic]\nversion = {attr = "app.v.NOW"}\n'
    )
    files = {"VERSION": "1.0.0", "setup.cfg": "[metadata]\nversion = 2.3.0\n"}
    assert [path for path, _ in stated(Package("app"), files)] == ["setup.cfg", "VERSION"]
    files = {"pyproject.toml": project, "src/app/v.py": 'NOW = "2.3.0"\n'}
    assert stated(Package("app", ecosystem="python", scheme="pep440"), files) == [("src/app/v.py", "2.3.0")]


def test_what_belongs_to_others_or_cannot_be_read_is_left_aside() -> None:
    files = {"setup.cfg": "[metadata]\nversion = 9\n", "pom.xml": "<project>", "VERSION": "2.3.0"}
    assert stated(Package("app", ecosystem="npm"), files, frozenset({"python"})) == [("VERSION", "2.3.0")]
    tools = {"package.json": '{"private": true, "version": "9.0.0"}'}
    assert stated(Package("app", ecosystem="python"), tools) == []


def test_only_what_may_state_a_version_is_worth_reading() -> None:
    paths = ["VERSION", "README.md", "src/app/__init__.py", "src/app/main.py", "package.json"]
    found = names_to_read(Package("app"), paths)
    assert found == ("pyproject.toml", "package.json", "VERSION", "src/app/__init__.py")


def test_files_that_people_chose_are_read_as_they_said() -> None:
    files = {"libs/app/config.h": '#define VERSION "2.3.0"\n', "libs/app/notes": "x"}
    chosen = [
        VersionFile("notes", ""),
        VersionFile("config.h", "", 'VERSION "(?P<version>[^"]+)"'),
        VersionFile("gone", "plain"),
    ]
    found = chosen_at(Package("app", "libs/app"), chosen, lambda path: files[path].encode() if path in files else None)
    assert found == [("libs/app/config.h", "2.3.0")]
