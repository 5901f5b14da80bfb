"""The programs that docs/how-to/deploy-by-a-script.md shows, as their reader saves them."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.docs.markdown import ROOT, Page

PAGE = ROOT / "docs" / "how-to" / "deploy-by-a-script.md"


def saved_scripts(root: Path) -> tuple[Path, Path]:
    """`deploy/target.py` and `deploy/traffic.py` below `root`, run by this Python."""
    paths = (root / "deploy" / "target.py", root / "deploy" / "traffic.py")
    for path, text in zip(paths, Page(PAGE, PAGE.read_text("utf-8")).fenced("python"), strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("/usr/bin/env python3", f"{sys.executable} -I", 1))
        path.chmod(0o755)
    return paths
