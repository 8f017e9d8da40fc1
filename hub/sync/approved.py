"""What an operator has approved for a connector: the addresses that stand in its own part of ``connectors.json``, and nothing else (trust rules, section d).

A manifest cannot widen it: what its defaults and its declaration of an authorisation server make of the settings is compared with the list before anything starts, and
once more at each call (:class:`hub.http.Http`) and before a browser is sent anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.connect import Connector, Misconfigured
from hub.connect.oauth import client_key
from hub.errors import FixConfiguration
from hub.http import Allowed, HostNotAllowed


def addresses(config: Mapping[str, str]) -> tuple[str, ...]:
    """The base URLs that an operator wrote: the settings whose name ends in ``_url``. One may say ``base_url`` instead of a URL."""
    return tuple(value for key, value in config.items() if key.endswith("_url") and value and value != "base_url")


def is_approved(config: Mapping[str, str], url: str) -> bool:
    """Whether a URL lies below one of them: scheme, exact host and port, path prefix."""
    try:
        return any(Allowed.of(one).admits(url) for one in addresses(config))
    except HostNotAllowed:
        return False


def require_approved(connector: Connector, written: Mapping[str, str], config: Mapping[str, str]) -> None:
    """``written`` is the operator's part, ``config`` the same over the manifest's defaults. Raises FixConfiguration for what could not be called, or not with the key that is there."""
    title, oauth = connector.manifest.title, connector.manifest.oauth
    try:
        for name, url in _used(connector, config):
            if not is_approved(written, url):
                raise HostNotAllowed(
                    f"{title}: its {name} is not below an address that connectors.json names.",
                    remedy=f"If it may be called, name it there: {url}",
                )
        if oauth is not None and oauth.client == "private_key_jwt":
            client_key(config.get("client_key", ""))
    except Misconfigured as fault:
        raise FixConfiguration(f"{title}: {fault.reason}.", remedy="Correct it in connectors.json.") from None


def _used(connector: Connector, config: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every address that a connector's settings make, by what it is."""
    for key, value in config.items():
        if key.endswith("_url") and value and value != "base_url":
            yield key, value
    if connector.manifest.oauth is not None:
        for url in connector.manifest.oauth.endpoints(config):
            yield "authorisation server", url
