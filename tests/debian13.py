"""Programs of Debian 13 as witnesses, unpacked into .cache from the mirror that this machine's apt is set up for."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).parents[1]
PLACE = TOP / ".cache" / "debian13"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
TIMEOUT_S = 180
# What skopeo is linked with, beside what its package of libraries brings; cosign is linked with nothing.
SKOPEO_LIBRARIES = ("libc6", "libgpgme11t64", "libassuan9", "libgpg-error0", "libsubid5", "libselinux1", "libpcre2-8-0")
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
LIBRARIES = "usr/lib/x86_64-linux-gnu"


class WitnessMissing(Exception):
    """The program cannot be had here. Says why."""


def cosign() -> tuple[str, ...]:
    """How cosign 2.5 is called."""
    return (str(_unpacked("cosign", ("cosign",)) / "usr" / "bin" / "cosign"),)


def skopeo() -> tuple[str, ...]:
    """How skopeo 1.18 is called: by the loader and with the libraries that it was built for."""
    folder = _unpacked("skopeo", ("skopeo", *SKOPEO_LIBRARIES))
    return (str(folder / LOADER), "--library-path", str(folder / LIBRARIES), str(folder / "usr" / "bin" / "skopeo"))


def _unpacked(name: str, packages: tuple[str, ...]) -> Path:
    """The folder with the packages' files, made once."""
    if shutil.which("apt-get") is None or not KEYRING.is_file():
        raise WitnessMissing(f"{name} comes from Debian 13, and there is no apt-get here")
    PLACE.mkdir(parents=True, exist_ok=True)
    folder = PLACE / name
    with (PLACE / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(name, packages, folder)
    return folder


def _fetch(name: str, packages: tuple[str, ...], folder: Path) -> None:
    draft = PLACE / f"{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "packages").mkdir(parents=True)
    _apt("update", folder=PLACE)
    _apt("download", *packages, folder=draft / "packages")
    for package in sorted((draft / "packages").glob("*.deb")):
        _run(["dpkg", "-x", str(package), str(draft / "files")], folder=PLACE)
    (draft / "files").rename(folder)
    shutil.rmtree(draft)


def _apt(*arguments: str, folder: Path) -> None:
    """Run apt-get with lists and sources of its own, which leaves those of this machine as they are."""
    sources = PLACE / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {_mirror()} trixie main\n")
    for part in ("lists/partial", "archives/partial"):
        (PLACE / part).mkdir(parents=True, exist_ok=True)
    own = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": PLACE / "lists",
        "Dir::Cache::Archives": PLACE / "archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "1",
        "Debug::NoLocking": "1",
    }
    options = [part for name, value in own.items() for part in ("-o", f"{name}={value}")]
    _run(["apt-get", "-q", *options, *arguments], folder=folder)


def _mirror() -> str:
    """Where this machine takes Debian's packages from."""
    form = "$(LABEL)\t$(REPO_URI)"
    listed = _run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], folder=PLACE)
    found = [line.partition("\t")[2] for line in listed.splitlines() if line.partition("\t")[0] == "Debian"]
    if not found:
        raise WitnessMissing("apt is not set up for Debian here, or was never updated")
    return found[0]


def _run(command: list[str], *, folder: Path) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WitnessMissing(f"{command[0]} did not do it: {type(error).__name__}") from None
    if done.returncode != 0:
        raise WitnessMissing(f"{command[0]} could not do it: {done.stderr[-300:]}")
    return done.stdout
