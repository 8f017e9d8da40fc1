"""Names that lead inside: whatever disguise an address wears, no socket is opened to it (trust rules, section d)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

import httpcore
import pytest

from hub.addresses import is_public, may_be_reached
from hub.connect import Request
from hub.http import Checked, HostNotAllowed, Http, PlatformUnreachable
from tests.hub.test_http import Echo, listening

INSIDE = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.254", "100.64.0.1", "100.100.100.200", "100.127.255.254", "127.0.0.1", "127.1.2.3", "169.254.0.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.254", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.254",
    "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
)  # fmt: skip
WRAPPED = tuple(
    str(form)
    for one in INSIDE
    for form in (
        IPv6Address(f"::ffff:{one}"),
        IPv6Address((0x64FF9B << 96) | int(IPv4Address(one))),
        IPv6Address((0x2002 << 112) | (int(IPv4Address(one)) << 80) | 1),
        IPv6Address((0xFFFF << 48) | int(IPv4Address(one))),
    )
)
SIX = (
    "::", "::1", "::127.0.0.1", "::10.0.0.1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456:789a::1", "ff02::1", "ff0e::1", "2001:db8::1", "2001::1",
    "64:ff9b:1::1", "64:ff9b:1:ffff::7f00:1", "100::1", "2001:10::1", "3fff::1",
)  # fmt: skip
CORPUS = (*INSIDE, *WRAPPED, *SIX)
PUBLIC = (
    "8.8.8.8",
    "223.5.5.5",
    "203.119.128.1",
    "2400:3200::1",
    "2606:4700::1111",
    "::ffff:223.5.5.5",
    "64:ff9b::df05:505",
    "2002:df05:505::1",
)


class Recording(httpcore.AsyncNetworkBackend):
    """Opens nothing; remembers where to."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.opened.append(host)
        raise httpcore.ConnectError("nobody there")


async def reached(addresses: Sequence[str], private: Sequence[IPv4Network] = (), host: str = "api.platform.example") -> list[str]:
    """To which of them a socket would have been opened, for a name on the list that leads to all of them. Raises HostNotAllowed."""

    async def resolve(name: str, port: int) -> Sequence[str]:
        return addresses

    recording = Recording()
    http = Http([f"https://{host}"], backend=Checked(private, resolve=resolve, inner=recording))
    try:
        await http.send(f"https://{host}", Request("GET", "/"))
    except PlatformUnreachable:
        return recording.opened
    finally:
        await http.close()
        if recording.opened:
            assert set(recording.opened) <= set(addresses), "no other name was asked for, no address guessed"
    raise AssertionError("nobody answered")


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(set(CORPUS)) >= 120


@pytest.mark.parametrize("address", CORPUS)
async def test_a_name_that_leads_inside_opens_no_socket(address: str) -> None:
    for addresses in ([address], ["223.5.5.5", address], [address, "223.5.5.5"]):
        with pytest.raises(HostNotAllowed, match="not public"):
            await reached(addresses)


@pytest.mark.parametrize("address", PUBLIC)
async def test_control_a_public_address_is_reached(address: str) -> None:
    assert await reached([address]) == [address]


async def test_every_address_is_tried_in_its_order() -> None:
    assert await reached(["223.5.5.5", "2400:3200::1"]) == ["223.5.5.5", "2400:3200::1"]


async def test_a_network_that_the_operator_named_is_reached_and_no_other() -> None:
    leased = [IPv4Network("10.20.0.0/16")]
    assert await reached(["10.20.1.2"], leased) == ["10.20.1.2"]
    for other in ("10.21.0.1", "::ffff:10.20.1.2", "127.0.0.1", "169.254.169.254"):
        with pytest.raises(HostNotAllowed):
            await reached([other], leased)


async def test_a_listed_address_is_the_operators_choice() -> None:
    assert await reached(["10.1.1.1"], host="10.1.1.1") == ["10.1.1.1"]


async def test_localhost_leads_to_loopback_only() -> None:
    assert await reached(["127.0.0.1", "::1"], host="localhost") == ["127.0.0.1", "::1"]
    with pytest.raises(HostNotAllowed):
        await reached(["223.5.5.5"], host="localhost")


async def test_a_name_is_resolved_once_and_the_checked_address_connected_to() -> None:
    """A second answer, which leads elsewhere, would never be heard (DNS rebinding)."""
    asked: list[str] = []

    async def resolve(name: str, port: int) -> Sequence[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    async with listening(Echo()) as origin:
        named = origin.replace("127.0.0.1", "localhost")
        http = Http([named], backend=Checked(resolve=resolve))
        assert (await http.send(named, Request("GET", "/ping"))).body == b"pong"
        await http.close()
    assert asked == ["localhost"]


async def test_the_system_s_resolver_is_asked() -> None:
    async with listening(Echo()) as origin:
        named = origin.replace("127.0.0.1", "localhost")
        http = Http([named])
        assert (await http.send(named, Request("GET", "/ping"))).body == b"pong"
        await http.close()


def test_networks_of_the_other_family_are_no_match() -> None:
    assert not may_be_reached("fd00::1", [ipaddress.ip_network("10.0.0.0/8")])
    assert may_be_reached("fd00::1", [ipaddress.ip_network("fd00::/8")])
    assert not is_public("fd00::1")
