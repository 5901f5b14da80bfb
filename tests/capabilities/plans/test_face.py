"""The face of a room imports a name when it is asked for, and each name is where the face says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from shipline import configuration
from shipline.capabilities import evidence, gates, plans, releases

FACES = (plans, evidence, gates, releases, configuration)


@pytest.mark.parametrize("face", FACES)
def test_every_name_of_the_face_has_its_home(face: object) -> None:
    names, homes = face.__all__, face._HOMES  # type: ignore[attr-defined]  # both faces have them
    assert list(homes) == names
    assert all(getattr(face, name) is not None for name in names)


@pytest.mark.parametrize("face", FACES)
def test_type_checkers_are_told_the_same_homes(face: object) -> None:
    """Goal: the two lists of a lazy face never differ. Method: the imports for type checkers are read as a tree."""
    tree = ast.parse(Path(str(face.__file__)).read_text("utf-8"))  # type: ignore[attr-defined]  # a module has it
    told = {
        alias.asname or alias.name: f"{node.module}:{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "importlib"
        for alias in node.names
    }
    found = {}
    for name, home in face._HOMES.items():  # type: ignore[attr-defined]  # as above
        module, _, inner = home.partition(":")
        found[name] = f"{face.__name__}.{module}:{inner or name}"  # type: ignore[attr-defined]  # a module has it
    assert found == told


@pytest.mark.parametrize("face", FACES)
def test_a_name_that_is_none_is_an_error_that_names_it(face: object) -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing_of_it'"):
        getattr(face, "nothing_of_it")  # noqa: B009 - a type checker would refuse it
