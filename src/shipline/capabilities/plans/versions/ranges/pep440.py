"""PEP 440's specifiers: `>=1.2,<2`, `~=1.4.2`, `==1.*`, `!=1.5`, `===1.0`.

Source: https://packaging.python.org/en/latest/specifications/version-specifiers/#version-specifiers, as `packaging`
has it.
"""

from __future__ import annotations

from shipline.domain.errors import InvalidValue


def satisfies(version: str, requirement: str) -> bool:
    """True if every specifier admits the version; a pre-release only where a specifier itself names one.

    The specification also lets an installer take a pre-release where nothing else is there. A plan does not know what
    else is there, so that is left out.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - costly, and rarely needed
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - the same

    try:
        specifiers = SpecifierSet(requirement)
        asked = Version(version)
    except InvalidSpecifier:
        raise InvalidValue(f"{requirement[:80]!r} is not a version specifier of PEP 440") from None
    except InvalidVersion:
        raise InvalidValue(f"{version[:80]!r} is not a PEP 440 version") from None
    return specifiers.contains(asked, prereleases=bool(specifiers.prereleases))
