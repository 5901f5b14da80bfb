"""The provider that the documentation shows passes the suite that it speaks of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.markdown import ROOT, Page

PAGE = ROOT / "docs" / "how-to" / "write-a-provider.md"


def test_the_example_passes_its_conformance_suite(tmp_path: Path) -> None:
    """Both blocks as they stand there, run as a plug-in's author would run them."""
    provider, suite = Page(PAGE, PAGE.read_text("utf-8")).fenced("python")
    (tmp_path / "folder_registry.py").write_text(provider)
    (tmp_path / "test_folder_registry.py").write_text(suite)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(tmp_path)))},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
