"""Where a release's site is to be had: the file that it left on this machine, or an address."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from shipline.clients.checked_download import Download, download
from shipline.clients.released_names import check_released, folder_name
from shipline.clients.site_archive import BYTES_MAX, FILES_MAX, site_name
from shipline.domain.errors import ConfigurationError, ShiplineError
from shipline.ports.target import checked_digests

FIELD = re.compile(r"\{([a-z]*)\}")
FIELDS = ("package", "version", "file")
RELEASED_HERE = ".shipline/releases/{package}-{version}/dist/{file}"
FETCH_TIMEOUT_S = 3600.0
VERSIONS_KEPT = 5
NAMES_SHOWN = 10
# A header and the padding of each file beside its content (POSIX.1-2017, pax: ustar).
ARCHIVE_BYTES_MAX = BYTES_MAX + FILES_MAX * 2048


@dataclass(frozen=True, slots=True)
class Site:
    """A version's site, by the digests of which its tar has one."""

    package: str
    version: str
    digests: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what could not be part of a path or an address (InvalidValue)."""
        check_released(self.package, self.version)
        checked_digests(self.digests)

    @property
    def file(self) -> str:
        """The name of its tar."""
        return site_name(self.package, self.version)

    @property
    def folder(self) -> str:
        """The name of the folder that it is unpacked to. Other bytes under the same version have another."""
        identity = hashlib.sha256("\n".join(sorted(self.digests)).encode()).hexdigest()
        return f"{self.file.removesuffix('-site.tar')}-{identity[:12]}"


@dataclass(frozen=True, slots=True)
class SiteSource:
    """`place` is a path from `root`, or an http or https address, with `{package}`, `{version}` and `{file}` in it;
    the rest is for an address: see Download."""

    root: Path
    place: str
    username: str = ""
    password_environment: str = ""
    answer_timeout_s: float = 60.0

    def fetch(self, site: Site, destination: Path) -> None:
        """Save the site's tar. ShiplineError where it is not to be had with one of its digests."""
        if is_address(self.place):
            url = self._filled(site, quoted=True)
            source = Download(url, self.username, self.password_environment, self.answer_timeout_s)
            download(source, destination, digests=site.digests, bytes_max=ARCHIVE_BYTES_MAX)
            return
        path = self.root / self._filled(site, quoted=False)
        try:
            if path.stat().st_size > ARCHIVE_BYTES_MAX:
                raise ShiplineError(f"{path} is larger than a site may be")
            shutil.copyfile(path, destination)
        except OSError as error:
            raise ShiplineError(
                f"the site of {site.package} {site.version} is not at {path}",
                why=error.strerror or str(error),
                todo="deploy where the version was released, or set `source` to where it was published",
            ) from None
        if digest_of(destination) not in site.digests:
            raise ShiplineError(f"{path} has other bytes than were released", todo="find out who changed it")

    def _filled(self, site: Site, *, quoted: bool) -> str:
        safe = folder_name(site.package, site.version).removesuffix(f"-{site.version}")
        values = {"package": quote(site.package, safe="") if quoted else safe, "version": site.version}
        values = {**values, "file": site.file}
        if quoted:
            values = {**values, "version": quote(site.version, safe=""), "file": quote(site.file, safe="")}
        return FIELD.sub(lambda found: values[found[1]], self.place)


def checked_source(place: str) -> None:
    """Refuse (ConfigurationError) what cannot be filled in, and what every version would share."""
    fields = FIELD.findall(place)
    unknown = [field for field in fields if field not in FIELDS]
    if unknown:
        known = ", ".join(f"{{{field}}}" for field in FIELDS)
        raise ConfigurationError(f"source: unknown placeholder {{{unknown[0]}}}", todo=f"known are {known}")
    if not {"version", "file"} & set(fields):
        raise ConfigurationError("source has neither {version} nor {file}: two versions would be the same")
    if "://" in place and not is_address(place):
        raise ConfigurationError("source is a path, or an http or https address")
    if is_address(place) and "@" in urlsplit(place).netloc:
        raise ConfigurationError("source holds a user name or password", todo="use username and password_environment")


def checked_login(username: str, password_environment: str, answer_timeout_s: float) -> None:
    """Refuse (ConfigurationError) what cannot be how an address is asked."""
    if username != "" and password_environment == "":
        raise ConfigurationError("username needs password_environment")
    if not 0 < answer_timeout_s <= FETCH_TIMEOUT_S:
        raise ConfigurationError(f"answer_timeout_s is more than 0, and at most {FETCH_TIMEOUT_S:g}")


def checked_page(must_have: str) -> None:
    """Refuse (ConfigurationError) what is no file within a site."""
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", must_have) or {"", ".", ".."} & set(must_have.split("/")):
        raise ConfigurationError(f"must_have: {must_have[:80]!r} is no path within a site")


def is_address(place: str) -> bool:
    """True for what is fetched over the network."""
    return urlsplit(place).scheme in ("http", "https")


def digest_of(path: Path) -> str:
    """`sha256:` and 64 hex digits."""
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
