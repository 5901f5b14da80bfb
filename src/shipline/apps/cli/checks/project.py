"""The repository, its settings, and the registries that they name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from shipline.apps.cli.checks.check import Check, State, not_asked, wrong
from shipline.apps.cli.hooks import hook_of
from shipline.bootstrap import Application
from shipline.capabilities.plans import detect_packages
from shipline.capabilities.releases import IDLE_TODO
from shipline.clients.git_command import GitCommand, GitFailed
from shipline.configuration import FILE_NAME, Settings
from shipline.configuration.check import problems
from shipline.domain.errors import ShiplineError
from shipline.domain.package import Package
from shipline.domain.verdict import Answer
from shipline.ports.registry import Finding

DIRTY_SHOWN_MAX = 3
# A version that nobody has: nothing is published under it.
NO_VERSION = "0.0.0"


def settings(application: Application) -> Iterator[Check]:
    """The file, the tables of its providers, and the rules of its gates."""
    stated = application.settings
    found = [wrong("settings", problem) for problem in problems(stated)]
    yield from found
    path = application.root / FILE_NAME
    if found:
        return
    if not path.exists():
        words = f"no {FILE_NAME}, so the defaults hold; `shipline init` writes one to start from"
    else:
        words = f"{path}: {_counted(stated)}"
    yield Check("settings", State.OK, words)


def _counted(stated: Settings) -> str:
    """`1 [[test]], 3 [[gate]], 0 [[environment]]`: how many tables of each kind there are."""
    tables = (("test", stated.test), ("gate", stated.gate), ("environment", stated.environment))
    return ", ".join(f"{len(found)} [[{name}]]" for name, found in tables)


def policy(application: Application) -> Iterator[Check]:
    """Where gates and environments are read from, and what is stated here and does not count."""
    read = application.policy
    yield Check("policy", State.OK, f"gates and environments are those of {read.source}")
    for sentence in read.left_out:
        yield Check("policy", State.WARNING, sentence, "it counts once the protected branch says the same")


def plan(application: Application) -> Iterator[Check]:
    """Whether what is here can be planned: packages, groups, schemes and requirements that go together."""
    if application.repository.head() is None or application.repository.is_shallow():
        return
    from shipline.capabilities.plans import make_plan

    found = make_plan(
        application.repository,
        application.packages,
        channel=application.channel(None if application.branch is not None else "stable"),
        bumps=application.bumps,
        monorepo=application.monorepo,
        day=application.today,
    ).packages
    coming = sum(package.releasable for package in found)
    yield Check("plan", State.OK, f"{len(found)} package{'s' if len(found) != 1 else ''}, {coming} to release")
    if application.settings.release.mode == "tag":
        yield from _stating(application)


def _stating(application: Application) -> Iterator[Check]:
    """What keeps packages from being released by their tags alone."""
    packages = application.known_packages()
    for package in packages:
        paths = sorted({file.path for file in application.version_files(package, packages).files})
        if paths:
            words = f'{package.name} states its version in {", ".join(paths)}, which mode = "tag" does not set'
            yield Check("plan", State.WARNING, words, "let git alone state it, or leave the mode out of [release]")


def repository(application: Application) -> Iterator[Check]:
    """Whether a release could begin from what is checked out."""
    here = application.repository
    root = here.root()
    if here.head() is None:
        yield Check("repository", State.WRONG, f"{root} has no commits yet", "commit something")
        return
    yield Check("repository", State.OK, str(root))
    yield _history(application)
    yield _branch(application)
    yield _work_tree(application)
    yield _identity(root)
    yield from _remote(application, root)
    yield from _hook(application)


def _history(application: Application) -> Check:
    if application.repository.is_shallow():
        words = "a shallow clone: versions come from the tags and commits that are cut off"
        todo = "run `git fetch --unshallow --tags`; in CI, let the checkout fetch the whole history (fetch-depth: 0)"
        return Check("history", State.WRONG, words, todo)
    tags = application.repository.merged_tags()
    words = (
        f"{len(tags)} tags, the newest being {tags[0].name}" if tags else "no tag yet: the next release is the first"
    )
    return Check("history", State.OK, words)


def _branch(application: Application) -> Check:
    branch = application.repository.branch()
    try:
        wanted = application.policy.branch
    except ShiplineError:  # Which the settings' own check says.
        wanted = ""
    if branch is None:
        words = "HEAD is detached: a release would commit outside of every branch"
        return Check("branch", State.WARNING, words, f"git switch {wanted or 'BRANCH'}")
    if wanted not in ("", branch):
        return Check("branch", State.WARNING, f"{branch}, and releases are made from {wanted}", f"git switch {wanted}")
    return Check("branch", State.OK, branch)


def _work_tree(application: Application) -> Check:
    dirty = application.repository.dirty_paths()
    if not dirty:
        return Check("work tree", State.OK, "as committed")
    more = f" and {len(dirty) - DIRTY_SHOWN_MAX} more" if len(dirty) > DIRTY_SHOWN_MAX else ""
    words = f"changes that are not committed: {', '.join(dirty[:DIRTY_SHOWN_MAX])}{more}"
    return Check("work tree", State.WARNING, words, "commit or stash them: a new release refuses to begin")


def _identity(root: Path) -> Check:
    try:
        GitCommand(root).run("read the identity", "-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT")
    except GitFailed:
        todo = 'run `git config user.name "Your Name"` and `git config user.email you@example.com`'
        return Check("identity", State.WRONG, "git does not know who commits here", todo)
    return Check("identity", State.OK, "git knows who commits here")


def _built_of(application: Application, package: Package) -> tuple[str, ...]:
    return tuple(kind for builder in application.builders(package) for kind in builder.kinds)


def _remote(application: Application, root: Path) -> Iterator[Check]:
    """Whether git knows the configured remote. Nobody is called: an address is taken as it is."""
    try:
        remote = application.settings.release.remote
    except ShiplineError:  # Which the settings' own check says.
        return
    if not remote or "/" in remote or ":" in remote:
        return
    try:
        GitCommand(root).run("look at the remote", "remote", "get-url", remote)
    except GitFailed:
        todo = f"git remote add {remote} ADDRESS, or set another `remote` under [release]"
        yield Check("remote", State.WRONG, f"git knows no remote {remote!r}, to which releases are pushed", todo)
    else:
        yield Check("remote", State.OK, f"{remote} is known")


def _hook(application: Application) -> Iterator[Check]:
    """Whether our commit-msg hook, where there is one, has the rules that the settings have now."""
    try:
        hook = hook_of(application)
    except ShiplineError:  # Wrong settings, which their own check tells.
        return
    if not hook.is_ours:
        return
    if hook.found == hook.script:
        yield Check("hook", State.OK, f"{hook.path.name} checks messages by the rules of {FILE_NAME}")
    else:
        words = f"{hook.path} was written for other settings, or by another version"
        yield Check("hook", State.WARNING, words, "shipline init --hooks")


def registry(application: Application) -> Iterator[Check]:
    """Whether each configured registry answers, and would take the packages that go there."""
    if not application.outlets:
        yield Check("registry", State.OK, "none is configured: releases are published nowhere")
    for table, outlet in zip(application.settings.registry, application.outlets, strict=True):
        name = f"registry {outlet.name}"
        foreign = table["provider"] == "npm" and _has_foreign_npmrc(application)
        if foreign or not application.policy.knows("registry", table):
            yield not_asked(name, application.policy)
            continue
        known = application.packages if application.packages is not None else detect_packages(application.repository)
        idle = outlet.idle_for(known, partial(_built_of, application))
        if idle:
            words = outlet.wants(idle[0], _built_of(application, idle[0]))
            yield Check(name, State.WRONG, f"a release would be refused, as it would get nothing: {words}", IDLE_TODO)
            continue
        packages = [package.name for package in known if outlet.kinds_of(package, _built_of(application, package))]
        if not packages:
            yield Check(name, State.WARNING, "none of the packages that it names is here", IDLE_TODO)
            continue
        try:
            yield from (_answered(name, finding) for finding in outlet.registry.check(packages[0], NO_VERSION, ()))
        except ShiplineError as error:
            yield wrong(name, error)


def _has_foreign_npmrc(application: Application) -> bool:
    """Whether a commit brought an .npmrc that the protected branch has not: npm would send there what it names."""
    policy, here = application.policy, application.repository
    if policy.trusted is None:
        return False
    path = (application.root.resolve() / ".npmrc").relative_to(here.root().resolve()).as_posix()
    if not here.is_tracked(path):
        return False  # It is of this machine.
    there = {} if policy.commit is None else here.read_files((path,), policy.commit)
    file = application.root / ".npmrc"
    return file.is_symlink() or not file.is_file() or file.read_bytes() != there.get(path)


def _answered(name: str, finding: Finding) -> Check:
    """What cannot be asked is said, and no reason to worry."""
    return Check(name, State.WRONG if finding.answer is Answer.FAIL else State.OK, finding.words, finding.todo)
