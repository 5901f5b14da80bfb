"""Faults of a group in the words of HAProxy: lines of its configuration, and entries of two maps. Pure.

A map's entry is a group's fault with its deadline and role, `UNTIL:AMOUNT:ROLE`. The proxy compares the one with its
own clock and the other with the server's name at every answer: so a fault ends though nobody is left to take it away,
and with the role, lest half of what a canary answers to few becomes half of what is answered at all. The maps' files
are empty, and entries live in the proxy's memory alone: one that is started anew has no fault. Both act on answers,
when the server is known: a request that is failed has been served, and counts for its group in the access log.

From: HAProxy 2.6 configuration manual, sections 4.2 ("http-response return"), 7.3.1 (`map_str`, `field`, `strcmp`,
`sub`) and 7.3.2 (`date`, `rand`); management guide, section 9.3 ("add map"). An answer is delayed by a program in Lua,
since 2.6 has no other way: HAProxy's own Lua API, `core.msleep`. Where it was built without, errors are all there is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from shipline.ports.target import Role
from shipline.ports.traffic import ERRORS, LATENCY, InjectedFault

ERRORS_MAP, DELAYS_MAP, LUA_NAME = "errors.map", "delays.map", "delay.lua"
MILLION = 1_000_000
FAULTS = (ERRORS, LATENCY)

LOADS = f"""\
.if feature(LUA)
    lua-load {LUA_NAME}
.endif
"""
LUA = """\
core.register_action("shipline_delay", { "http-res" }, function(txn)
  core.msleep(tonumber(txn:get_var("txn.delay_ms")))
end, 0)
"""
RULES = f"""\
    http-response set-var(txn.role) srv_name,field(1,:)
.if feature(LUA)
    http-response set-var(txn.delay) srv_name,field(3,:),map_str({DELAYS_MAP})
    http-response set-var(txn.delay_until) var(txn.delay),field(1,:)
    http-response set-var(txn.delay_ms) var(txn.delay),field(2,:)
    http-response set-var(txn.delay_role) var(txn.delay),field(3,:)
    http-response lua.shipline_delay if {{ date,sub(txn.delay_until) lt 0 }} \
{{ var(txn.delay_role),strcmp(txn.role) eq 0 }}
.endif
    http-response set-var(txn.error) srv_name,field(3,:),map_str({ERRORS_MAP})
    http-response set-var(txn.error_until) var(txn.error),field(1,:)
    http-response set-var(txn.error_part) var(txn.error),field(2,:)
    http-response set-var(txn.error_role) var(txn.error),field(3,:)
    http-response return status 500 content-type text/plain string "A rehearsal: this request was failed on purpose." \
if {{ date,sub(txn.error_until) lt 0 }} {{ var(txn.error_role),strcmp(txn.role) eq 0 }} \
{{ rand({MILLION}),sub(txn.error_part) lt 0 }}
"""


def entries(faults: tuple[InjectedFault, ...]) -> dict[str, dict[str, str]]:
    """By map what it shall hold, group by group. A deadline is kept to the second above it."""
    found: dict[str, dict[str, str]] = {ERRORS_MAP: {}, DELAYS_MAP: {}}
    for fault in faults:
        until = math.ceil(fault.until_us / MILLION)
        if fault.errors:
            found[ERRORS_MAP][fault.group_id] = f"{until}:{max(1, round(fault.errors * MILLION))}:{fault.role}"
        if fault.latency_ms:
            found[DELAYS_MAP][fault.group_id] = f"{until}:{fault.latency_ms}:{fault.role}"
    return found


def commands(wanted: Mapping[str, str], held: Mapping[str, str], name: str) -> tuple[str, ...]:
    """HAProxy commands that lead a map from what is `held` to what is `wanted`. Those that end something come first."""
    return (
        *(f"del map {name} {group}" for group in held if group not in wanted),
        *(f"set map {name} {group} {value}" for group, value in wanted.items() if held.get(group, value) != value),
        *(f"add map {name} {group} {value}" for group, value in wanted.items() if group not in held),
    )


def read_entries(answer: str) -> dict[str, str]:
    """The entries of a map by group, as `show map` lists them: an address, the key and the value in a line."""
    rows = (line.split() for line in answer.splitlines())
    return {row[1]: row[2] for row in rows if len(row) == 3}


def read_faults(errors: Mapping[str, str], delays: Mapping[str, str], now_us: int) -> tuple[InjectedFault, ...]:
    """The faults that both maps tell of, without those whose time is over."""
    found = []
    for group in sorted({*errors, *delays}):
        error_until, part = _amount(errors.get(group), now_us)
        delay_until, delay_ms = _amount(delays.get(group), now_us)
        if part or delay_ms:
            role = Role((errors.get(group) or delays[group]).rpartition(":")[2])
            until_us = max(error_until, delay_until) * MILLION
            found.append(InjectedFault(group, role, until_us, part / MILLION, delay_ms))
    return tuple(found)


def _amount(entry: str | None, now_us: int) -> tuple[int, int]:
    """Deadline in seconds and amount of an entry; twice 0 for none, and for one whose time is over."""
    if entry is None:
        return 0, 0
    until, amount, _role = entry.split(":")
    return (int(until), int(amount)) if int(until) * MILLION > now_us else (0, 0)
