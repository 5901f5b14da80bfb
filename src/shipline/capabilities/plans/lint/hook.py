"""The `commit-msg` hook: a POSIX shell script that passes a plain message without starting any program. Pure.

A shell reads a message in less than a millisecond, where Python takes ten to begin. It passes only what the rules
pass: printable ASCII of a plain form. Everything else it hands to `lint/__main__.py`, and to `shipline lint` where that
cannot tell, or where shipline.toml is newer than the hook. Lines that begin with `#` must be right both ways, as
comments and as text, since the shell cannot know whether git will keep them.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from shipline.capabilities.plans.lint.cleanup import SCISSORS, SETTINGS
from shipline.capabilities.plans.lint.glance import Glance, glance_of
from shipline.capabilities.plans.lint.packed import pack
from shipline.capabilities.plans.lint.rules import Rule

HOOK_MARKER = "# Written by `shipline init --hooks`"
HOOK = "commit-msg"
PROGRAM = str(Path(__file__).with_name("__main__.py"))
# A name that stands in a shell pattern as it is; a message with another one is judged.
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-")

HEAD = """\
#!/bin/sh
@MARKER@: run that again to write it anew. What is changed here is lost.
# Passes a plain message by itself and hands every other one on. To commit without it once: git commit --no-verify
LC_ALL=C
"""
PASSES = """
# Ends with 0 for a message that is certainly right.
passes() {
    IFS= read -r line || [ -n "$line" ] || return 1
    @IGNORED@
    case $line in *[!' '-'~']*) return 1 ;; esac
    [ ${#line} -le @HEADER@ ] || return 1
    kind=${line%%: *} subject=${line#*: }
    [ "$subject" != "$line" ] || return 1
    kind=${kind%!}
    case $kind in
        *'('*')')
            scope=${kind#*'('} scope=${scope%')'} kind=${kind%%'('*}
            case $scope in @SCOPES@ esac ;;
        *) @NO_SCOPE@ ;;
    esac
    case $kind in @TYPES@) ;; *) return 1 ;; esac
    case $subject in *'): '* | *')!: '* | *' ' | *.) return 1 ;; [a-z0-9]*) ;; *) return 1 ;; esac
    second='' blank='' footer=''
    while IFS= read -r line || [ -n "$line" ]; do
        case $line in
            '') second=1 blank=1; continue ;;
            @SCISSORS@) return 0 ;;
            '#'[A-Za-z0-9_-]* | '#'*'#'[A-Za-z0-9_-]*) return 1 ;;
            '#'*) [ ${#line} -le @LINE@ ] || return 1; @COMMENT@ blank=''; continue ;;
            *[!' '-'~']*) return 1 ;;
        esac
        [ -n "$second" ] && [ ${#line} -le @LINE@ ] || return 1
        case $line in
            *'#'* | *[Bb][Rr][Ee][Aa][Kk][Ii][Nn][Gg]*)
                [ -n "$blank$footer" ] || return 1
                case $line in
                    'BREAKING CHANGE: '*) footer=1 ;;
                    [A-Za-z]*' #'[0-9]*)
                        case ${line%%' #'*} in *[!A-Za-z:]*) ;; *)
                            case ${line#*' #'} in *[!0-9]*) ;; *) footer=1 ;; esac
                        esac ;;
                esac ;;
        esac
        blank=''
    done
    return 0
}
"""
ASK = """
if @FRESH@; then
    passes <"$1" && exit 0
fi
"""
TEACH = """
refuse() {
    printf '%s\\n' "Nothing is committed. The message is kept; to mend it: git commit -e -F '$1'" >&2
    exit 1
}
"""
QUICK = """
python=@PYTHON@
program=@PROGRAM@
rules=@RULES@
if @FRESH@ && [ -x "$python" ] && [ -f "$program" ]; then
    settings=$(git config --get-regexp @SETTINGS@)
    "$python" -I -S "$program" "$1" "$settings" "$rules"
    case $? in 0) exit 0 ;; 1) refuse "$1" ;; esac
fi
"""
WHOLE = """
if command -v shipline >/dev/null; then
    shipline lint --message-file "$1" || refuse "$1"
@ELSE@else
    printf '%s\\n' 'shipline is not there to check the commit message: install it, or remove this hook' >&2
    exit 1
fi
"""
ELSE = """\
elif [ -x "$python" ]; then
    "$python" -m shipline lint --message-file "$1" || refuse "$1"
"""
IGNORED = """case $line in
        'Merge branch '* | 'Merge tag '* | 'Merge remote-tracking branch'* | 'Revert '* | 'Reapply '*) return 0 ;;
        'fixup!'* | 'squash!'* | 'amend!'*) return 0 ;;
    esac"""


def hook_script(rules: tuple[Rule, ...], *, default_ignores: bool, has_settings: bool, python: str) -> str:
    """The script's text.

    `has_settings` tells whether there is a shipline.toml. `python` is the interpreter that has Shipline on this
    machine; "" for a hook that is committed, and runs on other machines too.
    """
    glance = glance_of(rules)
    fresh = '[ -e shipline.toml ] && [ ! shipline.toml -nt "$0" ]' if has_settings else "[ ! -e shipline.toml ]"
    parts = [HEAD, *([_passes(glance, default_ignores=default_ignores), ASK] if glance is not None else []), TEACH]
    parts += [QUICK] if python else []
    words = {
        "MARKER": HOOK_MARKER,
        "FRESH": fresh,
        "PYTHON": shlex.quote(python),
        "PROGRAM": shlex.quote(PROGRAM),
        "RULES": shlex.quote(pack(rules, default_ignores=default_ignores)),
        "SETTINGS": shlex.quote(SETTINGS),
        "ELSE": ELSE if python else "",
    }
    return _filled("".join([*parts, WHOLE]), words)


def _passes(glance: Glance, *, default_ignores: bool) -> str:
    comment = '[ -n "$second" ] || return 1;' if glance.blank_is_needed else ""
    named = f"{_either(glance.scopes)}) ;; *) return 1 ;;" if glance.scopes else ""
    words = {
        "IGNORED": IGNORED if default_ignores else ":",
        "HEADER": str(glance.header_length_max),
        "LINE": str(glance.line_length_max),
        "SCOPES": named or "'' | *[!A-Za-z0-9_./-]*) return 1 ;;",
        "NO_SCOPE": "return 1" if glance.needs_scope else ":",
        "TYPES": _either(glance.types),
        "SCISSORS": shlex.quote("#" + SCISSORS),
        "COMMENT": comment,
    }
    return _filled(PASSES, words)


def _either(names: tuple[str, ...]) -> str:
    """A shell pattern for these names, but for those that are not plain; one that fits nothing where none is."""
    return " | ".join(name for name in names if PLAIN.issuperset(name)) or "''"


def _filled(text: str, words: dict[str, str]) -> str:
    """The text with its words, which stand there as `@NAME@`. What is put in is not looked at again."""
    pieces = text.split("@")
    return "".join(words[piece] if index % 2 else piece for index, piece in enumerate(pieces))
