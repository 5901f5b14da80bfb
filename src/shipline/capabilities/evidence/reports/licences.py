"""Licences of what a package needs, whatever format they came in, as SPDX expressions.

An item is `{"package", "version", "purl", "licence", "stated", "status"}`: `stated` is what the report says, `licence`
the same as a normalized SPDX expression, or None. `status` is `known` where there is one, `unknown` where nothing is
stated, and `unclear` where something is, and it is not said which licence exactly ("BSD License" may be any of
several) or SPDX has no name for it. Nothing is guessed: the table of names below holds those that mean one licence.

The summary is `{"total", "known", "unclear", "unknown"}`; a group is a licence and how many packages have it:
`{"licence", "packages"}`, the most frequent first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from shipline.capabilities.evidence.reports.report import Item, Reading

EXPRESSION_LENGTH_MAX = 500
STATED_LENGTH_MAX = 1000
_NOTHING = frozenset({"", "unknown", "noassertion", "none", "n/a", "license not found"})
_EXPRESSION = re.compile(r"[A-Za-z0-9 .+:()_-]+")
_CUSTOM = re.compile(r"(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+")

# The licences that Python's classifiers and people's prose name without doubt. From: the classifiers that begin with
# "License ::" (https://github.com/pypa/trove-classifiers), the names at https://spdx.org/licenses/ (version 3.25), and
# what package.json and METADATA files hold; compared without case.
_NAMES = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "boost software license 1.0 (bsl-1.0)": "BSL-1.0",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "2-clause bsd license": "BSD-2-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "eclipse public license 2.0 (epl-2.0)": "EPL-2.0",
    "european union public licence 1.2 (eupl 1.2)": "EUPL-1.2",
    "gnu affero general public license v3": "AGPL-3.0-only",
    "gnu affero general public license v3 or later (agplv3+)": "AGPL-3.0-or-later",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "gnu lesser general public license v2 (lgplv2)": "LGPL-2.0-only",
    "gnu lesser general public license v2 or later (lgplv2+)": "LGPL-2.0-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mit no attribution license (mit-0)": "MIT-0",
    "mit/x11": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "the mit license": "MIT",
    "the mit license (mit)": "MIT",
    "the unlicense (unlicense)": "Unlicense",
    "universal permissive license (upl)": "UPL-1.0",
    "zlib/libpng license": "Zlib",
}


class LicenceStatus(StrEnum):
    """What is known of a package's licence."""

    KNOWN = "known"
    UNCLEAR = "unclear"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Licensed:
    """A package and what is said of its licence. `version` and `purl` are "" where the report does not say."""

    package: str
    version: str
    stated: str
    purl: str = ""

    @property
    def licence(self) -> str | None:
        """The SPDX expression, where there is one."""
        return normalized(self.stated)

    @property
    def status(self) -> LicenceStatus:
        """What is known."""
        if self.stated.strip().lower() in _NOTHING:
            return LicenceStatus.UNKNOWN
        return LicenceStatus.UNCLEAR if self.licence is None else LicenceStatus.KNOWN

    def item(self) -> dict[str, Any]:
        """The package as an item of a report; some packages state their licence's whole text, of which this is the
        beginning."""
        return {
            "package": self.package,
            "version": self.version,
            "purl": self.purl,
            "licence": self.licence,
            "stated": self.stated[:STATED_LENGTH_MAX],
            "status": self.status.value,
        }


@lru_cache(maxsize=4096)
def normalized(stated: str) -> str | None:
    """The SPDX expression that `stated` is or names, with SPDX's spelling; None where it is no such thing."""
    text = _NAMES.get(stated.strip().lower(), stated.strip())
    if text.lower() in _NOTHING or len(text) > EXPRESSION_LENGTH_MAX or not _EXPRESSION.fullmatch(text):
        return None
    try:
        parsed = _licensing().parse(text)
        unknown = _licensing().unknown_license_keys(parsed)
    except Exception:  # noqa: BLE001 - malformed text ends in IndexError and AssertionError as well as in its own errors
        return None
    if parsed is None or not all(_CUSTOM.fullmatch(key) for key in unknown):
        return None
    return str(parsed.render())


@lru_cache(maxsize=1)
def _licensing() -> Any:
    # Imported here: with its list of licences it takes 60 ms, which only who reads licences shall pay.
    from license_expression import get_spdx_licensing  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types

    return get_spdx_licensing()


class LicenceTally:
    """Counts packages by what is known of their licences, and by licence."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.notes: list[str] = []
        self._by_status: Counter[LicenceStatus] = Counter()
        self._by_licence: Counter[str] = Counter()

    def items(self, found: Iterable[Licensed]) -> Iterator[Item]:
        """The items of `found`, which are counted in passing."""
        for each in found:
            self._by_status[each.status] += 1
            self._by_licence[each.licence or each.stated[:STATED_LENGTH_MAX] or LicenceStatus.UNKNOWN.value] += 1
            yield each.item()

    def summary(self) -> dict[str, Any]:
        """The figures. An environment without packages has licences, none of them unknown."""
        return {"total": self._by_status.total(), **status_counts(self._by_status)}

    def groups(self) -> tuple[Item, ...]:
        """Each licence and how many packages have it, the most frequent first."""
        return tuple({"licence": name, "packages": count} for name, count in self._by_licence.most_common())


def status_counts(by_status: Counter[LicenceStatus]) -> dict[str, int]:
    """The part of a summary that speaks of licences."""
    return {status.value: by_status[status] for status in LicenceStatus}


def licence_reading(found: Iterable[Licensed], *, tool: str) -> Reading:
    """The licences of `found`, counted in passing."""
    tally = LicenceTally(tool)
    return Reading(tally.items(found), tally)
