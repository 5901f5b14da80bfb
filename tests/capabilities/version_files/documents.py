"""Version files of every kind, odd ones too: @@ stands for the version, and everything else is to stay."""

from __future__ import annotations

from shipline.domain.version_file import VersionFile

MARK = b"@@"

PLACES: dict[str, list[bytes]] = {
    "python-project": [
        b'[project]\nname = "quotes"\nversion = "@@"\n',
        b'[project]\r\n  version="@@"# why\r\nname = "q"',
        b"project.version = '@@'\n",
        b'project = { name = "q", version = "@@", x = [{version = "9"}] }\n',
        b'# version = "9.9"\n[tool.x]\nversion = "9.9"\n[ project ]\n"version" = "@@"\nother.version = "9"\n',
        b'[project]\ndescription = """\nversion = "9.9"\n[tool]\n\\"""" \nversion = "@@"\n',
        (
            b"[project]\nurls = {a = '#', b = \"]\"} # }\nx = [\n '''\n]''', # ]\n [1, 2.0, nan],"
            b" 1979-05-27 07:32:00,\n]\nversion = '@@'\n"
        ),
        b'[[project2]]\nversion = "9"\n[tool.poetry]\nversion = "@@"\n[tool.poetry.dependencies]\nversion = "^1"\n',
        b'[project]\nversion = "@@"\n[tool.poetry]\nversion = "@@"\n',
        b'\xef\xbb\xbf[project]\nversion = "@@"\n',
        b'# caf\xe9, in Latin-1\n[project]\nversion = "@@"\n',
        'name = "café ☃"\n[project]\nversion = "@@"'.encode(),
        b'[project]\n"\'version\'" = "9"\nversion = "@@"\n',
        (
            b'[[project.x]]\nversion = "9"\n[[project.x]]\n[project.x.version]\nversion = "9"\n'
            b'[tool.poetry]\nversion="@@"'
        ),
    ],
    "setup-cfg": [
        b"[metadata]\nname = q\nversion = @@\n",
        b"# version = 9\r\n[options]\r\nversion = 9\r\n[metadata]\r\nVersion: @@\r\nlong =\r\n  version = 9\r\n",
        b"\xef\xbb\xbf[metadata]\nversion=@@",
        b"[metadata]\nauthor = caf\xe9\nversion =   @@   \n[tool:pytest]\nversion = %(x)s\n",
    ],
    "cargo-package": [
        b'[package]\nname = "q"\nversion = "@@"\n[dependencies]\nserde = { version = "1" }\n',
        b'[workspace.package]\nversion = "@@"\n[package]\nversion.workspace = true\n',
        b'[workspace.package]\nversion = "9"\n[package]\nversion = "@@"\n',
        b'[workspace]\nmembers = ["a"]\r\n[workspace.package]\r\nversion = "@@" # all\r\n',
    ],
    "npm-package": [
        b'{"name": "q", "version": "@@"}',
        b'{\r\n\t"dependencies": {"version": "9"},\r\n\t"version" : "@@",\r\n\t"x": ["version", "\\"version\\": 9"]}',
        b'\xef\xbb\xbf{"version":"@@","n":1e400,"z":-0.0}\n',
        '{"description": "café {[", "version": "@@"}\n'.encode(),
        b'{"description": "caf\xe9, in Latin-1",\n\n\n   "version"\t:\n"@@"   }',
    ],
    "composer": [b'{"name": "a/q", "version": "@@", "require": {"a/version": "9"}}\n'],
    "maven": [
        b"<project><modelVersion>4.0.0</modelVersion><version>@@</version></project>",
        (
            b'<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- <version>9</version> -->\r\n'
            b'<project xmlns="http://maven.apache.org/POM/4.0.0" a="version>">\r\n'
            b"<parent><version>9</version></parent>\r\n<version>\r\n  @@ <!-- ours -->\r\n</version>\r\n"
        ).replace(b" <!-- ours -->", b"")
        + b"<dependencies><dependency><version>9</version></dependency></dependencies>"
        b"<build><plugins><plugin><version>9</version></plugin></plugins></build></project>",
        b"<project><version>${revision}</version><properties><a>9</a><revision>@@</revision></properties></project>",
        b'<?xml version="1.0" encoding="ISO-8859-1"?><project><name>caf\xe9</name><version>@@</version></project>',
        b"\xef\xbb\xbf<project><x><![CDATA[<version>9</version>]]></x><version>@@</version></project>\n",
        (
            b"<project><profiles><profile><properties><version>9</version></properties></profile></profiles>"
            b"<version>@@</version></project>"
        ),
    ],
    "gradle": [
        b"plugins {\n  id 'x' version '9'\n}\nversion = '@@'\n",
        b'plugins { id("x") version "9" }\r\ngroup = "q"\r\nversion = "@@" // ours\r\n',
        b"/* version = '9' */ // version = '9'\nallprojects {\n    version '@@'\n}\nsubprojects { version = '9' }\n",
        b'val s = """\nversion = "9" }\n"""\nproject.version = "@@"',
        b"version = '@@'\nversionCode = 9\next { version = '9' }\ndependencies { x 'a:b:9' }\n",
        b"def a = '\\'{'; version = '@@'\n",
    ],
    "gradle-properties": [
        b"version=@@\n",
        b"# version=9\r\n! version=9\r\nx=a\\\r\nversion=9\r\n version : @@ \r\n",
        b"versions=9\nversion @@",
        b"name=caf\xe9\nversion = @@\n",
    ],
    "gemspec": [
        b'Gem::Specification.new do |spec|\n  spec.version = "@@"\n  spec.required_ruby_version = ">= 3"\nend\n',
        b"Gem::Specification.new do |s|\r\n  # s.version = '9'\r\n  s.version     = '@@'.freeze # ours\r\nend",
    ],
    "ruby-module": [
        b'module Q\n  VERSION = "@@"\nend\n',
        b"# VERSION = '9'\r\nmodule Q\r\n\tVERSION='@@'.freeze\r\n\tAPI_VERSION = '9'\r\nend",
    ],
    "helm-chart": [
        b"apiVersion: v2\nname: q\nversion: @@\nappVersion: 9.9.9\n",
        b'description: |\n  version: 9.9.9\nversion:   "@@"   # why\r\ndependencies:\n  - version: 9.9.9\n',
        b"'version': '@@'",
        b"{name: q, version: @@, dependencies: [{version: 9.9.9}]}",
        b"# caf\xe9, in Latin-1\nversion: @@\n",
        "description: café ☃ 🎉\nversion: '@@'\n".encode(),
        b"\xef\xbb\xbfversion: @@\n",
        b"a: &x {version: 9.9.9}\nb: *x\nversion: @@\n",
    ],
    "helm-app-version": [b'version: 9.9.9\nappVersion: "@@"\n', b"appVersion: v@@\n".replace(b"v@@", b"'@@'")],
    "plain": [b"@@", b"@@\n", b"\r\n  @@\r\n", b"\xef\xbb\xbf@@\n"],
    "python-module": [
        b'__version__ = "@@"\n',
        b"import os\r\n__version__: str = '@@'  # noqa\r\n",
        b'"""Doc.\n__version__ = "9.9"\n"""\n__version__ = version = "@@"',
        b'# -*- coding: latin-1 -*-\n# caf\xe9\n__version__="@@"\n',
        b'\xef\xbb\xbf__version__ = "@@"\n',
        b'X = "\\d"\rif X:\r    __version__2 = 1\r__version__ = "@@"\r',
        b'VERSION = "@@"\n',
        b'VERSION = "9"\n__version__ = "@@"\n',
        b'def f():\n    __version__ = "9"\n\n\x0c\n__version__ = "@@"\n',
    ],
    "dockerfile": [
        b'FROM x:9.9.9\nLABEL org.opencontainers.image.version="@@"\n',
        b"FROM x\r\nLABEL a=b \\\r\n  # comment\r\n  org.opencontainers.image.version='@@' \\\r\n\r\n  c=d\r\n",
        b"FROM x\nlabel org.opencontainers.image.version @@",
        b"ARG VERSION=9\nFROM x:$VERSION\nLABEL org.opencontainers.image.version=@@ x=y\n",
        b'ARG V="@@"\nFROM x\nARG A=9 V=@@\nLABEL org.opencontainers.image.version="${V}"\n',
        b'FROM x\n# LABEL org.opencontainers.image.version="9"\nLABEL "org.opencontainers.image.version"="@@"\n',
        b'FROM x\nLABEL version="@@"\n',
        b"FROM x\nlabel version @@\n",
        b'FROM x\nLABEL about="a version=9 \\" version=9" \\\n  "version"=\'@@\' my.version=9 schema-version=9\n',
        b'FROM x\nLABEL description="version 9" org.label-schema.version=@@\n',
        b'ARG V=@@\nFROM x\nLABEL version="$V"\n',
        b'FROM x\nLABEL version="1" org.opencontainers.image.version="@@"\n',
        b'FROM x\nLABEL version="@@" org.opencontainers.image.version="@@"\n',
    ],
    "dockerfile-arg": [b"ARG VERSION=@@\nFROM x\nARG OTHER_VERSION=9\nARG\tVERSION='@@'\n"],
    "kustomize": [
        b"images:\n- name: quotes\n  newTag: @@\n- name: other\n  newTag: 9.9.9\n",
        (
            b'images:\r\n  - {name: x, newName: "ghcr.io/me/quotes", newTag: "@@"}\r\n'
            b"  - name: quotes-ui\r\n    newTag: 9.9.9\r\n"
        ),
        b"images:\n- newTag: v@@ # ours\n  name: registry:5000/quotes\n",
    ],
    "marker": [
        b"pip install quotes==@@ <!-- shipline-version -->\nx 9.9.9\n",
        (
            b"# shipline-version-start\r\nhttps://x/v@@/quotes-@@.tar.gz\r\n\r\nno version\r\n"
            b"# shipline-version-end\r\n9.9.9"
        ),
        b"caf\xe9 @@ // shipline-version",
        b"a: x/quotes:@@ # shipline-version\nb: 9.9.9 # shipline-versions, my-shipline-version\n",
    ],
    "pattern": [b'tag: "@@"\n', b'caf\xe9\r\n  tag: "@@"\r\nother: "9"\r\n', b'tag: "@@"; tag: "@@"'],
    "npm-lock": [
        b'{"version": "@@", "lockfileVersion": 1, "dependencies": {"a": {"version": "9"}}}\n',
        b'{"version": "@@", "packages": {"": {"name": "q", "version": "@@"}, "node_modules/a": {"version": "9"}}}\n',
        (
            b'{\r\n  "version":"@@","packages":{"packages/a":{"version":"9"},'
            b'"":{"dependencies":{"version":"9"},"version":"@@"}}}'
        ),
    ],
    "uv-lock": [
        (
            b'version = 1\n[[package]]\nname = "a"\nversion = "9"\nsource = { registry = "x" }\n\n'
            b'[[package]]\nname = "q"\n'
            b'version = "@@"\nsource = { editable = "." }\ndependencies = [\n    { name = "a", version = "9" },\n]\n\n'
            b'[package.metadata]\nversion = "9"\n\n[[package]]\nname = "q"\nversion = "9"\nsource = { virtual = "q" }\n'
        ),
        b"[[package]]\r\nsource = { virtual = \".\" } # ours\r\nversion = '@@'\r\n",
    ],
    "cargo-lock": [
        (
            b'version = 4\n\n[[package]]\nname = "quotes"\nversion = "@@"\ndependencies = [\n'
            b' "a",\n "quotes 9.9.9",\n]\n\n'
            b'[[package]]\nname = "quotes"\nversion = "9.9.9"\nsource = "registry"\n\n'
            b'[[package]]\nname = "z"\nversion = "9.9.9"\ndependencies = [\n "quotes @@",\n]\n'
        ),
    ],
}
CASES = [(kind, document) for kind, documents in PLACES.items() for document in documents]


def file_of(kind: str) -> VersionFile:
    """A version file of the kind, as the package `quotes` in the folder of the file has it."""
    names = ("quotes",) if kind in ("cargo-lock", "kustomize") else ()
    return VersionFile(
        f"some/{kind}", kind, r'tag: "(?P<version>[0-9A-Za-z.+!_-]+)"' if kind == "pattern" else "", names
    )


def filled(document: bytes, version: str) -> bytes:
    """The document with the version in its places."""
    return document.replace(MARK, version.encode())
