"""The settings of a project, one dataclass a table. Field docs stand in the class docstrings and in the reference."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shipline.domain.gate import Gate


@dataclass(frozen=True, slots=True)
class PackageSettings:
    """`[[package]]`: one package. None of these is needed where the repository is one plain Python or npm package.

    `path` is relative to the root. `ecosystem` is python, npm or plain; `scheme` is semver or pep440; `tag_format`
    holds `{version}` and may hold `{package}`; "" means: found out. `version_files` are relative to the package;
    empty: found out. `changelog` is relative to the package.
    """

    name: str
    path: str = "."
    ecosystem: str = ""
    scheme: str = ""
    tag_format: str = ""
    version_files: tuple[str, ...] = ()
    changelog: str = "CHANGELOG.md"


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """`[release]`: how a release is made.

    `branch` is the only one to release from ("" allows any); `remote` is where commit and tag are pushed, "" for
    nowhere; `commit_message` may hold `{package}` and `{version}`. `withdraw_on_rollback` withdraws a version from
    its registry when its rollout was rolled back by the analysis.
    """

    branch: str = ""
    remote: str = ""
    commit_message: str = "chore(release): {package} {version}"
    withdraw_on_rollback: bool = False


@dataclass(frozen=True, slots=True)
class TestSettings:
    """`[[test]]`: a command that is run on the released source, and the reports that it leaves.

    `command` is a list, no shell; `{python}` is the interpreter that Shipline runs on, `{reports}` an empty folder,
    `{version}` the version. `reports` are file names in that folder, each of which must be there. `timeout_s` bounds
    the command.
    """

    name: str
    command: tuple[str, ...]
    reports: tuple[str, ...] = ()
    timeout_s: int = 1800


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """`[[environment]]`: a place to deploy to; the order in the file is their order.

    `strategy` is canary or all-at-once. `instances` is how many serve. `drain_timeout_s` bounds the wait for open
    requests. `target`, `traffic` and `canary` are tables of their own, checked by their owners.
    """

    name: str
    production: bool = False
    url: str = ""
    strategy: str = "canary"
    instances: int = 1
    drain_timeout_s: int = 30
    target: dict[str, Any] = field(default_factory=dict)
    traffic: dict[str, Any] = field(default_factory=dict)
    canary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file. `schema` is 1.

    `store` is the store's URL, "" for SQLite in `.shipline/`. `build`, `registry` and `signer` are tables with a
    `provider` and that provider's own settings; an empty `registry` publishes nowhere.
    """

    schema: int = 1
    store: str = ""
    package: tuple[PackageSettings, ...] = ()
    release: ReleaseSettings = field(default_factory=ReleaseSettings)
    build: dict[str, Any] = field(default_factory=dict)
    test: tuple[TestSettings, ...] = ()
    registry: dict[str, Any] = field(default_factory=dict)
    signer: dict[str, Any] = field(default_factory=dict)
    gate: tuple[Gate, ...] = ()
    environment: tuple[EnvironmentSettings, ...] = ()
