"""What the lender knows or has configured, as documents with versions: each says where it is from, which days it is for, and since when the hub knows it.

An evaluation of a day uses the versions that were known at its instant and are in effect on its day: of each name the one that took effect last. A version is written once.
The relationship graph is beside it (:mod:`hub.store.relations`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Row, select, text
from sqlalchemy.dialects.postgresql import insert

from hub.credit.dossier import Reference
from hub.credit.products.catalogue import OWN, PEERS, Product, products_of, text_of_the_package
from hub.credit.products.checking import Rules
from hub.credit.reference import Edge, ReferenceFile, faults_of, read_reference, reference_of
from hub.credit.reference.files import digest, first_day_of, written
from hub.domain.enums import RelationType
from hub.domain.identifiers import CustomerId
from hub.errors import FixConfiguration
from hub.store.database import Read, Write
from hub.store.evaluations.policies import policies_in_force
from hub.store.relations import Known, keep_graph, relations_of
from hub.store.tables import reference_version

LENDER, RELATIONS = "lender", "relations"
"""Files of a home that ``hub migrate`` loads."""
EVER = date(2000, 1, 1)
RELEASE = "release"
"""Stands for who loaded what comes with the hub."""

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('reference_version'))")
_IN_EFFECT = text("""
    SELECT DISTINCT ON (name) * FROM reference_version
    WHERE loaded_at <= :known_at AND effective_from <= :as_of AND (effective_to IS NULL OR effective_to >= :as_of)
    ORDER BY name, effective_from DESC, version DESC
""")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a document. ``effective_to`` is the last day; None: until another one is in effect."""

    name: str
    version: int
    sha256: str
    source: str
    effective_from: date
    effective_to: date | None
    document: Any
    loaded_at: datetime
    loaded_by: str

    @staticmethod
    def of(row: Row[Any]) -> Version:
        return Version(**row._mapping)

    def says(self, other: Version) -> bool:
        """The same, of the same days and from the same source."""
        mine, theirs = ((one.sha256, one.source, one.effective_from, one.effective_to) for one in (self, other))
        return mine == theirs

    @property
    def told(self) -> dict[str, Any]:
        """For the audit: its value as well, where it is short."""
        said = orjson.dumps(self.document)
        value = {"document": self.document} if len(said) <= 4_000 else {}
        days = {"from": self.effective_from, "to": self.effective_to}
        return {"version": self.version, "sha256": self.sha256, "source": self.source, **days, **value}


@dataclass(frozen=True, slots=True)
class Change:
    """``before`` is the last version there was."""

    before: Version | None
    after: Version


@dataclass(frozen=True, slots=True)
class Used:
    """What an evaluation takes: the values, the versions they are of, and what the graph knows."""

    reference: Reference
    versions: tuple[Version, ...]
    known: Known

    @property
    def catalogue(self) -> tuple[Product, ...] | None:
        """The products in effect; None: there is no catalogue."""
        named = {one.name: one for one in self.versions if one.name in (OWN, PEERS)}
        key = tuple(sorted((name, one.sha256) for name, one in named.items()))
        if key not in _READ:
            _READ[key] = products_of({name: one.document for name, one in named.items()}) if named else None
        return _READ[key]


_READ: dict[tuple[tuple[str, str], ...], tuple[Product, ...] | None] = {}
"""Catalogues by the digests of their documents: a version never changes, and every evaluation asks for one."""


async def load_versions(tx: Write, file: ReferenceFile, actor: str, now: datetime) -> list[Change]:
    """Writes what is new; a document that says what its last version says stays as it is."""
    await tx.execute(_LOCK)
    changes = []
    for name, document in file.documents.items():
        before = await _last(tx, name)
        number = before.version + 1 if before else 1
        days = (file.effective_from, file.effective_to)
        after = Version(name, number, digest(document), file.source, *days, document, now, actor)
        if before is None or not before.says(after):
            row = {one: getattr(after, one) for one in Version.__slots__}
            await tx.execute(insert(reference_version), row)
            changes.append(Change(before, after))
    return changes


async def rules_for(tx: Read | Write, text_of_file: str, today: date) -> Rules:
    """The policies that the products of a file are held against: those in force here when it takes effect, and not before today."""
    first = first_day_of(text_of_file) or today
    return (await policies_in_force(tx, max(first, today))).get


async def keep_catalogue(tx: Write, now: datetime) -> list[Change]:
    """The products that come with this version of the hub, for a lender who has loaded none of its own. Those of a later version take their place, the lender's are left."""
    last = await _last(tx, OWN)
    if last is not None and last.loaded_by != RELEASE:
        return []
    return await load_versions(tx, read_reference(text_of_the_package()), RELEASE, now)


async def _last(tx: Write, name: str) -> Version | None:
    mine = select(reference_version).where(reference_version.c.name == name)
    row = (await tx.execute(mine.order_by(reference_version.c.version.desc()).limit(1))).first()
    return None if row is None else Version.of(row)


async def versions_of(tx: Read | Write, name: str | None = None) -> list[Version]:
    """Every version, by name, the newest first."""
    wanted = select(reference_version).order_by(reference_version.c.name, reference_version.c.version.desc())
    return [Version.of(row) for row in await tx.execute(wanted if name is None else wanted.where(reference_version.c.name == name))]


async def in_effect(tx: Read | Write, as_of: date, known_at: datetime) -> tuple[Version, ...]:
    """One version of each name, by name."""
    return tuple(Version.of(row) for row in await tx.execute(_IN_EFFECT, {"as_of": as_of, "known_at": known_at}))


async def load_reference(tx: Read | Write, customer_id: CustomerId, uscc: str | None, as_of: date, known_at: datetime) -> Used:
    """The lender's data as they concern one customer."""
    return (await load_references(tx, {customer_id: uscc}, as_of, known_at))[customer_id]


async def load_references(
    tx: Read | Write, codes: Mapping[CustomerId, str | None], as_of: date, known_at: datetime
) -> dict[CustomerId, Used]:
    """Of many customers, by the codes of businesses; None of a person. The documents are read once: of one customer only its related parties differ."""
    versions, known = await in_effect(tx, as_of, known_at), await relations_of(tx, codes, as_of, known_at)
    nobody = reference_of({one.name: one.document for one in versions}, None)
    return {one: Used(replace(nobody, related=its.related), versions, its) for one, its in known.items()}


def used(versions: Sequence[Version], known: Known) -> Used:
    return Used(reference_of({one.name: one.document for one in versions}, known.related), tuple(versions), known)


async def keep_reference(tx: Write, name: str, document: Mapping[str, Any], now: datetime, actor: str = "operator") -> list[Change]:
    """A file of a home: the documents, as if they had always been in effect, or the graph. Raises FixConfiguration for one that cannot be read."""
    if name == RELATIONS:
        await keep_graph(tx, _graph(document), f"{name}.json", actor, now)
        return []
    faults = [f"{written(path)}: {wrong}. {remedy}" for path, wrong, remedy in faults_of(document)]
    if faults:
        raise FixConfiguration(
            f"The lender's reference data cannot be read. {' '.join(faults)}", remedy="docs/deploy.md has an example of each document."
        )
    return await keep_checked(tx, name, document, now, actor)


async def keep_checked(tx: Write, name: str, documents: Mapping[str, Any], now: datetime, actor: str = "operator") -> list[Change]:
    """Documents that somebody has checked, as if they had always been in effect: those of a persona, whose format does."""
    return await load_versions(tx, ReferenceFile(f"{name}.json", EVER, None, dict(documents)), actor, now)


def _graph(document: Mapping[str, Any]) -> dict[str, list[Edge]]:
    try:
        return {own: [Edge(own, row["uscc"], RelationType(row["type"])) for row in rows] for own, rows in document.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FixConfiguration(
            f"The lender's reference data cannot be read ({error}).", remedy="docs/deploy.md has an example of each document."
        ) from None


def read_reference_file(path: Path) -> dict[str, Any] | None:
    """The document in a file, None where there is no file. Raises FixConfiguration."""
    if not path.exists():
        return None
    try:
        document = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise FixConfiguration(f"{path} is not JSON ({error}).", remedy="Correct it, or remove it.") from None
    if not isinstance(document, dict):
        raise FixConfiguration(f"{path} is not a JSON object.", remedy="Correct it, or remove it.")
    return document
