"""What a connector says of itself: its manifest, its README, its list of what is checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

from hub.cli.certify.session import Session
from hub.cli.certify.trial import Failed, require
from hub.domain.enums import SourceKind
from hub.domain.facts import spec_of

_SECRET = re.compile(r"(^|_)(secret|password|passphrase|private_key|client_key|appkey)$")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SENTENCE = re.compile(r".{20,}[.]", re.DOTALL)
_FLAGS = (
    "pkce",
    "signature_vector",
    "vendor_sdk",
    "vendor_schema",
    "paging",
    "windows",
    "errors_mapped",
    "quarantine",
    "coverage",
    "revoke",
)


def report(faults: Iterable[str], good: str) -> str:
    """``good``, unless there is a fault: then Failed with the first three."""
    found = list(faults)
    if found:
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise Failed("; ".join(found[:3]) + more + ".")
    return good


async def manifest_is_complete(session: Session) -> str:
    """Doc, titles in both languages, sources, settings, secrets, quota."""
    one, streams = session.connector.manifest, session.connector.streams
    settings = [setting.name for setting in one.settings]
    faults = [
        ("its name is not its folder's", one.name != session.candidate.folder.name),
        ("its doc is not a sentence", not _SENTENCE.fullmatch(one.doc)),
        ("it has no English title", not one.title or bool(_CHINESE.search(one.title))),
        ("it has no Chinese title", not _CHINESE.search(one.title_zh)),
        ("its sources are not those of its streams", set(one.sources) != {stream.source for stream in streams} or not streams),
        ("two streams have one name", len({stream.name for stream in streams}) != len(streams)),
        ("two settings have one name", len(set(settings)) != len(settings)),
        (
            "its authorisation server needs settings that it does not declare",
            not set(one.oauth.needs if one.oauth else ()) <= set(settings),
        ),
        ("credit data of persons come from a licensed bureau alone", SourceKind.BUREAU in one.sources and not one.licensed),
        ("its quota allows nothing", min(one.quota.per_second, one.quota.burst, one.quota.in_flight) <= 0),
    ]
    undocumented = [f"the setting {setting.name} is not documented" for setting in one.settings if len(setting.doc) < 8]
    unmarked = [f"the setting {one.name} is not marked secret" for one in one.settings if _SECRET.search(one.name) and not one.secret]
    alien = [
        f"{stream.name}: {kind.__name__} is not of {stream.source}"
        for stream in streams
        for kind in stream.facts
        if spec_of(kind).source != stream.source
    ]
    said = [text for text, wrong in faults if wrong]
    return report(
        [*said, *undocumented, *unmarked, *alien],
        f"{len(settings)} settings, {len(streams)} streams, {len(one.sources)} sources, all documented.",
    )


async def settings_are_declared(session: Session) -> str:
    """The simulated platform configures what the manifest declares, nothing else, and all that has no default."""
    manifest = session.connector.manifest
    given = {name for name in session.trial.running.platform.config if not name.startswith("quota_")}
    declared = {setting.name for setting in manifest.settings}
    needed = {setting.name for setting in manifest.settings if setting.default is None}
    faults = [f"{name} is configured but not declared" for name in sorted(given - declared)]
    faults += [f"{name} has neither default nor value" for name in sorted(needed - given)]
    return report(faults, f"{len(needed)} settings must be given, the others have defaults.")


async def readme_tells_all(session: Session) -> str:
    """The README names every stream, kind of fact and switch, and says what is real."""
    path = session.candidate.folder / "README.md"
    require(path.is_file(), "There is no README.md.")
    text = path.read_text("utf-8")
    kinds = {kind.__name__ for stream in session.connector.streams for kind in stream.facts}
    faults = [f"the stream {stream.name} is not in it" for stream in session.connector.streams if f"`{stream.name}`" not in text]
    faults += [f"the fact {kind} is not in it" for kind in sorted(kinds) if kind not in text]
    faults += [f"the switch {switch} is not in it" for switch in ("down", "malformed") if f"`{switch}`" not in text]
    if not text.startswith(f"# {session.connector.manifest.name}"):
        faults.append("its title is not the connector's name")
    if not re.search("authoris", text, re.IGNORECASE):
        faults.append("it does not say how a customer authorises")
    return report(faults, f"{len(text.splitlines())} lines, with every stream, fact and switch.")


async def quality_is_true(session: Session) -> str:
    """``quality.toml`` is there, whole, and says what certification sees."""
    path = session.candidate.folder / "quality.toml"
    require(path.is_file(), "There is no quality.toml.")
    said = tomllib.loads(path.read_text("utf-8")).get("quality", {})
    faults = [f"it does not say {flag}" for flag in (*_FLAGS, "oracle") if flag not in said]
    faults += [f"{flag} is neither yes, no nor a sentence" for flag in _FLAGS if flag in said and not isinstance(said[flag], bool | str)]
    seen = await _seen(session)
    faults += [
        f"it says {flag} = {str(said[flag]).lower()}, certification sees {'' if found else 'no '}{flag}"
        for flag, found in seen.items()
        if isinstance(said.get(flag), bool) and said[flag] != found
    ]
    yes = sum(said.get(flag) is True for flag in _FLAGS)
    return report(faults, f"{yes} of {len(_FLAGS)} marks claimed; {', '.join(seen)} agree with what certification sees.")


async def _seen(session: Session) -> dict[str, bool]:
    reading, customer = await session.reading(), await session.customer()
    dialogue = session.connector.authorisation.revoke(customer.context)
    revokes = next(dialogue, None) is not None
    return {
        "pkce": session.connector.manifest.pkce,
        "paging": any(sum(bool(one.page and one.page.records) for one in window.exchanges) > 1 for window in reading.windows),
        "windows": any(stream.window_days for stream in session.connector.streams),
        "coverage": any(exchange.page and exchange.page.covered is not None for exchange in reading.exchanges),
        "revoke": revokes,
    }
