"""IP addresses and networks in CEL. A value is a map of one entry: `{"ip": "::1"}`, `{"cidr": "10.0.0.0/8"}`.

Refused as Kubernetes refuses them: zones, IPv4 in IPv6 (`::ffff:1.2.3.4`), octets that begin with a zero.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

Tagged = dict[str, str]
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def ip(text: str) -> Tagged:
    """The address. Raises ValueError for what is none."""
    return {"ip": str(_address(text))}


def is_ip(text: str) -> bool:
    """Whether it is one."""
    return _succeeds(lambda: _address(text))


def is_canonical(text: str) -> bool:
    """Whether it is written in the one way that addresses are compared in. Raises ValueError for what is none."""
    return str(_address(text)) == text


def cidr(text: str) -> Tagged:
    """The network, with the bits of the host that were written. Raises ValueError for what is none."""
    return {"cidr": str(_interface(text))}


def is_cidr(text: str) -> bool:
    """Whether it is one."""
    return _succeeds(lambda: _interface(text))


def family(value: Tagged) -> int:
    """4 or 6."""
    return _of(value).version


def of_network(value: Tagged) -> Tagged:
    """The address that the network was written with."""
    return {"ip": str(_net(value).ip)}


def masked(value: Tagged) -> Tagged:
    """The network without bits of the host."""
    return {"cidr": str(_net(value).network)}


def prefix_length(value: Tagged) -> int:
    """The bits of its mask."""
    return _net(value).network.prefixlen


def contains_ip(value: Tagged, other: Tagged | str) -> bool:
    """Whether the address is in the network."""
    address = _address(other) if isinstance(other, str) else _of(other)
    return address in _net(value).network


def contains_cidr(value: Tagged, other: Tagged | str) -> bool:
    """Whether the other network is in this one."""
    outer = _net(value).network
    inner = _interface(other) if isinstance(other, str) else _net(other)
    # The address that it was written with counts: where that is inside and the mask no wider, all of it is.
    return outer.version == inner.version and inner.network.prefixlen >= outer.prefixlen and inner.ip in outer


def _is_global(address: _Address) -> bool:
    """Source: Go's `netip.Addr.IsGlobalUnicast`."""
    if isinstance(address, ipaddress.IPv4Address) and int(address) in (0, 2**32 - 1):
        return False
    return not (address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local)


def _is_link_multicast(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return int(address) >> 8 == 0xE00000
    return int(address) >> 112 & 0xFF0F == 0xFF02


PROPERTIES: dict[str, Callable[[Tagged], bool]] = {
    "isUnspecified": lambda value: _of(value).is_unspecified,
    "isLoopback": lambda value: _of(value).is_loopback,
    "isLinkLocalMulticast": lambda value: _is_link_multicast(_of(value)),
    "isLinkLocalUnicast": lambda value: _of(value).is_link_local,
    "isGlobalUnicast": lambda value: _is_global(_of(value)),
}


def _address(text: str) -> _Address:
    address = ipaddress.ip_address(text)
    if "%" in text or (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped):
        raise ValueError(f"{text[:60]!r} has a zone, or is IPv4 in IPv6")
    return address


def _interface(text: str) -> _Interface:
    host, slash, bits = text.partition("/")
    if not slash or not bits.isascii() or not bits.isdigit() or (bits[0] == "0" and bits != "0"):
        raise ValueError(f"{text[:60]!r} is no network")
    _address(host)
    return ipaddress.ip_interface(text)


def _of(value: Tagged) -> _Address:
    if "ip" not in value:
        raise ValueError("what is asked is no address")
    return ipaddress.ip_address(value["ip"])


def _net(value: Tagged) -> _Interface:
    if "cidr" not in value:
        raise ValueError("what is asked is no network")
    return ipaddress.ip_interface(value["cidr"])


def _succeeds(act: Callable[[], object]) -> bool:
    try:
        act()
    except ValueError:
        return False
    return True
