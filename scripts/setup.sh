#!/bin/sh
# Sets up this clone: programs from the system's packages, and .venv from requirements.lock.
#
#   scripts/setup.sh          what Shipline needs to run
#   scripts/setup.sh tests    and what its tests need: PostgreSQL's server, Chromium, registries, a builder of images
#
# Run by make. A second run finds all in place and ends at once; two at the same time wait for each other.
# Packages come from wherever pip and apt are configured to take them; no address stands here.
set -eu
# No program is asked for the folder: were it missing, this would go on in the root of the file system.
cd "${0%/*}/.."
[ -f scripts/setup.sh ] && [ -f requirements.lock ] || {
    echo "setup: $(pwd) is not a clone of Shipline" >&2
    exit 1
}
PATH=$PATH:/usr/sbin:/sbin
export PATH
here=$(pwd)
room=${1:-run}
stamp_file=.venv/.setup-stamp

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
    say "$@"
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# -- system packages --------------------------------------------------------------------------------------------------

has_postgresql_server() {
    has initdb && has pg_ctl && return 0
    # Debian keeps the server's programs off PATH, a folder for each version.
    for initdb in /usr/lib/postgresql/*/bin/initdb; do [ -x "$initdb" ] && return 0; done
    return 1
}

has_browser() { has chromium || has chromium-browser || has google-chrome || has google-chrome-stable; }

# Ubuntu's package only calls snap, which containers do not have.
browser_is_packaged() { ! grep -qs '^ID=ubuntu' /etc/os-release; }

# The Debian packages whose programs are missing, one a line.
missing_packages() {
    has git || echo git
    has haproxy || echo haproxy
    [ "$room" = tests ] || return 0
    has_postgresql_server || echo postgresql
    has_browser || ! browser_is_packaged || echo chromium
    has docker-registry || echo docker-registry
    has prometheus-alertmanager || has alertmanager || echo prometheus-alertmanager
    has wrk || echo wrk
    has prometheus || echo prometheus
    # What images are built with in the tests, and from: a program that needs nothing beside it.
    has buildah || echo buildah
    has busybox || echo busybox-static
    # Where containers are run in the tests, and by what: it asks for the least of a machine.
    has podman || echo podman
    has runc || echo runc
    # A Node.js from elsewhere brings its own npm, which Debian's package would fight with.
    has npm || has node || printf '%s\n' nodejs npm
}

# How to become root without being asked; fails where that cannot be.
root_command() {
    if [ "$(id -u)" = 0 ]; then
        echo env
    elif has sudo && sudo -n true 2>/dev/null; then
        echo sudo -n env
    else
        return 1
    fi
}

# Sets as_root, or says what a person has to type.
check_installable() {
    if ! has apt-get || ! as_root=$(root_command); then
        fail "these packages are missing, and installing them takes root or sudo without a password: $*
  Debian, Ubuntu:  sudo apt-get install $*
  elsewhere:       install the programs of these names with the system's package manager
Then run this again."
    fi
}

install_packages() {
    say "installing $* with apt-get"
    mkdir -p .cache
    # The lock must not pass to a service that a package starts. Nothing here uses such a service.
    # shellcheck disable=SC2086 # as_root and the packages are lists of words
    {
        $as_root apt-get update -qq || true
        $as_root DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            -o DPkg::Lock::Timeout=300 "$@"
    } >.cache/apt.log 2>&1 9>&- || {
        tail -n 5 .cache/apt.log >&2
        fail "apt-get could not install: $* (all it said is in .cache/apt.log)"
    }
}

# -- Python -----------------------------------------------------------------------------------------------------------

# The first Python that is new enough and imports the modules that are named.
find_python() {
    for candidate in python3.11 python3.12 python3.13 python3.14 python3; do
        has "$candidate" || continue
        "$candidate" -c "import sys$1; sys.exit(sys.version_info < (3, 11))" 2>/dev/null || continue
        command -v "$candidate"
        return 0
    done
    return 1
}

# Debian splits venv and ensurepip off its Python.
venv_package() { "$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'; }

make_environment() {
    moved=no
    [ ! -e "$stamp_file" ] || [ "$(head -n 1 "$stamp_file")" = "$here" ] || moved=yes
    if [ "$moved" = yes ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear .venv || fail "$python could not make .venv; its reason stands above"
    fi
    say "installing $(grep -c '==' requirements.lock) locked packages into .venv (a minute or two)"
    # -qq leaves errors: find-links folders of the machine's own configuration are none of ours to warn about.
    # The lock is complete. Without --no-deps, older pips look at releases newer than the locked ones, and refuse those.
    wheels=.cache/wheels
    rm -rf "$wheels"
    .venv/bin/python -m pip download -qq --no-input --disable-pip-version-check --require-hashes --no-deps \
        --dest "$wheels" -r requirements.lock || fail "pip could not fetch requirements.lock; its reason stands above"
    # Where packages come from is a matter of pip's configuration. Unpacked and compiled they are by uv, which is one of
    # them, on all processors; it asks nobody, and compares with the lock once more.
    .venv/bin/python -m pip install -qq --no-input --disable-pip-version-check --no-index --no-deps \
        "$wheels"/uv-*.whl || fail "pip could not install uv; its reason stands above"
    .venv/bin/uv pip install -q --no-config --no-cache --offline --no-index --find-links "$wheels" --require-hashes \
        --no-deps --compile-bytecode --python .venv/bin/python -r requirements.lock ||
        fail "uv could not install requirements.lock; its reason stands above"
    rm -rf "$wheels"
    .venv/bin/python -m pip install -qq --no-input --disable-pip-version-check --no-deps --no-build-isolation \
        --editable . || fail "pip could not install the project itself; its reason stands above"
    said=$(.venv/bin/python -m pip check --disable-pip-version-check) ||
        fail "requirements.lock does not fit pyproject.toml; make lock writes it anew: $said"
    stamp >"$stamp_file"
}

# Where the environment was made (it cannot be moved) and from what.
stamp() {
    echo "$here"
    git hash-object requirements.lock pyproject.toml
}

environment_is_ready() {
    [ -x .venv/bin/python ] && [ -e "$stamp_file" ] && [ "$(cat "$stamp_file")" = "$(stamp)" ]
}

# -- all of it --------------------------------------------------------------------------------------------------------

case $room in
run | tests) ;;
*) fail "unknown argument $room; known: tests" ;;
esac

if [ "$room" = tests ] && ! has_browser && ! browser_is_packaged; then
    say "no Chromium here, and Ubuntu has none for apt: tests that open the page in a browser are left out"
fi
missing=$(missing_packages)
if [ -z "$missing" ] && environment_is_ready; then
    exit 0
fi

bare_python=$(find_python "") || fail "Python 3.11 or newer is needed; none of python3.11 to python3.14 and python3 is one"

# Held through an open file until this process ends, however it ends.
mkdir -p .cache
exec 9>.cache/setup.lock
"$bare_python" - <<'LOCK'
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("setup: waiting for another setup of this clone", file=sys.stderr)
    fcntl.flock(9, fcntl.LOCK_EX)
LOCK

missing=$(missing_packages)
if ! environment_is_ready && ! find_python ", venv, ensurepip" >/dev/null; then
    has apt-get || fail "$bare_python has no venv or no ensurepip; install a complete Python 3.11 or newer"
    missing="$missing $(venv_package "$bare_python")"
fi
apt=
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # package names are words
    check_installable $missing
    # shellcheck disable=SC2086 # the same
    install_packages $missing &
    apt=$!
    # However this ends: apt-get is not left behind, working for nobody.
    trap 'wait "$apt" || true' EXIT
    # Each waits for the network and the disk, so that both at once take less time; unless the one needs the other.
    { has git && find_python ", venv, ensurepip" >/dev/null; } || wait "$apt" || exit 1
fi
made=
if ! environment_is_ready; then
    python=$(find_python ", venv, ensurepip") || fail "$bare_python has no venv or no ensurepip; install $(venv_package "$bare_python")"
    make_environment
    made=yes
fi
[ -z "$apt" ] || wait "$apt" || exit 1
# shellcheck disable=SC2046 # package names are words
set -- $(missing_packages)
[ $# = 0 ] || fail "apt-get installed the packages, but their programs are still missing: $*"
[ -z "$made" ] || say "done: .venv/bin/shipline"
