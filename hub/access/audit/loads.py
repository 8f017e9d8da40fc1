"""What was loaded of the lender's own data, for the audit: old and new values, as far as they are short."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from hub.access.audit.chain import Secrets
from hub.access.audit.events import audited
from hub.store.database import Write


class Loaded(Protocol):
    """How many edges, and the first of them in words."""

    @property
    def counts(self) -> Mapping[str, int]: ...
    @property
    def before(self) -> tuple[str, ...]: ...
    @property
    def after(self) -> tuple[str, ...]: ...


class Told(Protocol):
    """A version of a document."""

    @property
    def name(self) -> str: ...
    @property
    def told(self) -> dict[str, Any]: ...


class Change(Protocol):
    @property
    def before(self) -> Told | None: ...
    @property
    def after(self) -> Told: ...


async def edges_audited(tx: Write, secrets: Secrets, actor: str, source: str, loaded: Loaded) -> None:
    before = {"edges": list(loaded.before)} if loaded.before else None
    after = {"source": source, **loaded.counts, "edges": list(loaded.after)}
    await audited(tx, secrets, actor=actor, action="relations.load", subject="relations:graph", before=before, after=after)


async def versions_audited(tx: Write, secrets: Secrets, actor: str, changes: Iterable[Change]) -> None:
    """Each version that was loaded, with the one before."""
    for one in changes:
        before, subject = one.before.told if one.before else None, f"reference:{one.after.name}"
        await audited(tx, secrets, actor=actor, action="reference.load", subject=subject, before=before, after=one.after.told)
