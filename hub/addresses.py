"""Which addresses a platform's name may lead to (trust rules, section d). Pure; :mod:`hub.http` asks before it connects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NEVER: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("100.64.0.0/10"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2001::/32"),
    IPv6Network("3fff::/20"),
)
"""What :mod:`ipaddress` takes for global in some versions: protocol assignments and a metadata address, relays, carriers' networks, local NAT64, Teredo,
documentation."""
_TRANSLATED: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)
"""Prefixes behind which an IPv4 address stands, and how many bits follow it: NAT64, SIIT, mapped, compatible, 6to4."""


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, in itself and as whatever it stands for. Raises ValueError for what is no address."""
    return all(_is_public(one) for one in _forms(ip_address(address.partition("%")[0])))


def may_be_reached(address: str, private: Iterable[Network]) -> bool:
    """Public, or in one of the networks that an operator has named; never both an address there and a disguise of another."""
    found = ip_address(address.partition("%")[0])
    return is_public(address) or any(found in network for network in private if network.version == found.version)


def _is_public(address: Address) -> bool:
    odd = address.is_multicast or address.is_reserved or address.is_unspecified or getattr(address, "is_site_local", False)
    return address.is_global and not odd and not any(address in network for network in _NEVER if network.version == address.version)


def _forms(address: Address) -> Iterator[Address]:
    """What reaches the network: an address that stands for another one is judged by that one."""
    if isinstance(address, IPv6Address):
        for network, behind in _TRANSLATED:
            if address in network:
                yield IPv4Address((int(address) >> behind) & 0xFFFFFFFF)
                return
    yield address
