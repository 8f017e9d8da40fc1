"""An evaluation made once more, from what it was made from: by the facts as they were known then, on its own ground, with its versions; compared byte for byte.

EQUAL             the same canonical JSON
DIFFERENT         the first difference, and its cause
NOT_REPRODUCIBLE  legitimately: what it read may not be read any more, or is gone by the law; said in a sentence

Later syncs, corrections, merges, policies and reference documents change nothing: each of them adds versions, and an evaluation names its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, select, text, tuple_

from hub.credit.engine import code_version, engine_sha256
from hub.credit.evaluate import Request
from hub.credit.features import CATALOGUE
from hub.credit.models.reach import Answering
from hub.credit.models.run import Complete, complete
from hub.credit.objections import NONE
from hub.credit.policy import unchecked_policy
from hub.credit.reference.files import digest
from hub.credit.sources import Use
from hub.domain.enums import SourceKind
from hub.domain.facts import all_specs
from hub.domain.identifiers import CustomerId
from hub.errors import NotFound
from hub.store.database import Read, Write
from hub.store.dossier import Ground, Open, Seen, Wanted, load_dossiers
from hub.store.dossier.holdings import load_holdings
from hub.store.dossier.moment import EVER
from hub.store.evaluations.canonical import ORDER, Document, canonical, document_of, first_difference, sha256_of
from hub.store.evaluations.inputs import FORM, Prepared, as_then, evidence_of, subject_sha256
from hub.store.evaluations.keep import Asked, codes_of, inputs_digest, rows_of
from hub.store.evaluations.reference import Version, used
from hub.store.evaluations.rows import Heading
from hub.store.evaluations.today import how_it_ended
from hub.store.evaluations.watch import watch_again
from hub.store.relations import relations_of
from hub.store.tables import customer, evaluation, evaluation_inputs, policy, reference_version

EQUAL, DIFFERENT, NOT_REPRODUCIBLE = "EQUAL", "DIFFERENT", "NOT_REPRODUCIBLE"
_OLDEST = text("""
    SELECT min(known_from) FROM fact WHERE customer_id = :customer AND kind = ANY(:kinds) AND known_from > :since AND known_from <= :known_at
        AND (known_to IS NULL OR known_to > :known_at)
""")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the two part first, and why."""

    where: str
    was: Any
    now: Any
    cause: str


@dataclass(frozen=True, slots=True)
class Reproduction:
    """``sentence`` says it all. ``was_sha256`` is the digest of what was kept, ``now_sha256`` of what was made now; None where nothing was made."""

    customer_id: CustomerId
    evaluation_id: UUID
    verdict: str
    sentence: str
    was_sha256: str | None = None
    now_sha256: str | None = None
    size: int = 0
    difference: Difference | None = None


@dataclass(frozen=True, slots=True)
class _Remade:
    """``changed`` says of inputs what is no longer the same."""

    prepared: Prepared
    found: Complete
    changed: tuple[str, ...]
    form: int


async def find_evaluation(tx: Read | Write, evaluation_id: UUID, customer_id: UUID | None = None) -> Row[Any]:
    """Raises NotFound."""
    wanted = select(evaluation).where(evaluation.c.evaluation_id == evaluation_id)
    row = (await tx.execute(wanted if customer_id is None else wanted.where(evaluation.c.customer_id == customer_id))).first()
    if row is None:
        raise NotFound("There is no such evaluation.", remedy="Use an id that `evaluate` or `evaluations` answered.")
    return row


async def reproduce(tx: Read | Write, row: Row[Any], now: datetime) -> Reproduction:
    """See the module. Writes nothing."""
    mine = CustomerId(row.customer_id), row.evaluation_id
    inputs = (await tx.execute(select(evaluation_inputs).where(_this(evaluation_inputs, row)))).first()
    async for sentence in _refusals(tx, row, inputs, now):
        return Reproduction(*mine, NOT_REPRODUCIBLE, sentence)
    assert inputs is not None
    stored = await _stored(tx, row)
    remade = await _remake(tx, row, inputs.document)
    before, after = document_of(stored), document_of(_rows(row, remade))
    told = canonical(after)
    shas = (sha256_of(stored), sha256_of(_rows(row, remade)))
    if shas == (inputs.result_sha256,) * 2 and canonical(before) == told and not remade.changed:
        return Reproduction(*mine, EQUAL, f"EQUAL: the same {len(told):,} bytes.", *shas, len(told))
    found = _difference(before, after, inputs, remade, shas[0])
    sentence = f"DIFFERENT at {found.where}: {_short(found.was)} was kept, {_short(found.now)} is made now. {found.cause}"
    return Reproduction(*mine, DIFFERENT, sentence, *shas, len(told), found)


def _short(value: Any) -> str:
    said = "nothing" if value is None else str(value)
    return said if len(said) <= 80 else f"{said[:77]}..."


def _this(table: Table, row: Row[Any]) -> Any:
    return (table.c.customer_id == row.customer_id) & (table.c.evaluation_id == row.evaluation_id)


async def _refusals(tx: Read | Write, row: Row[Any], inputs: Row[Any] | None, now: datetime) -> AsyncIterator[str]:
    """Why it cannot be made again by right, the weightiest first."""
    erased_on = (await tx.execute(select(customer.c.erased_on).where(customer.c.customer_id == row.customer_id))).scalar()
    if erased_on is not None:
        yield f"The subject was erased on {erased_on}: what the evaluation was made from is gone for good."
    if row.inputs_erased_on is not None:
        yield f"Its inputs were erased on {row.inputs_erased_on}, when their life under the consents was over: what was decided is all that is left."
    if inputs is None:
        yield "It was made by a version of the hub that did not keep what evaluations are made from."
        return
    async for sentence in _not_consented(tx, row, inputs.document, now):
        yield sentence


async def forbidden_again(tx: Read | Write, row: Row[Any], now: datetime) -> list[str]:
    """What of an evaluation's inputs may not be read today, in sentences."""
    document = (await tx.execute(select(evaluation_inputs.c.document).where(_this(evaluation_inputs, row)))).scalar_one()
    return [sentence async for sentence in _not_consented(tx, row, document, now)]


async def _not_consented(tx: Read | Write, row: Row[Any], kept: Mapping[str, Any], now: datetime) -> AsyncIterator[str]:
    """What was read then may be read again only under a consent of today that is as wide."""
    customer_id, use = CustomerId(row.customer_id), _use(row, kept["grantee"], row.known_at)
    holdings = (await load_holdings(tx, [customer_id], now))[customer_id]
    today, then = holdings.allowing(_use(row, kept["grantee"], now)), Ground.of(kept, use)
    for source, terms in sorted(then.consents.items()):
        if not then.states[source].readable:
            continue
        given = today.get(source)
        if given is None:
            last = max((one for one in holdings.consents if one.consent.source is source), key=lambda one: one.changed_at)
            word = how_it_ended(last.consent.status, last.consent.expires_at, now)
            yield f"The consent to {source} {word} ({last.changed_at.date()}): what was read under it may not be read again."
        elif not _as_wide(given, terms):
            yield f"The consent to {source} has become narrower: some of what was read under it may not be read again."
        elif given.life is not None and await _outlived(tx, customer_id, source, row.known_at, (terms.life, now - given.life)):
            yield f"What was read of {source} has outlived its consent: it may not be read again."


def _as_wide(given: Any, terms: Any) -> bool:
    kinds = given.kinds is None or (terms.kinds is not None and terms.kinds <= given.kinds)
    return bool(kinds and given.data_from <= terms.data_from and given.data_to >= terms.data_to)


async def _outlived(tx: Read | Write, customer_id: CustomerId, source: SourceKind, known_at: datetime, lives: tuple[Any, datetime]) -> bool:
    life, gone = lives
    kinds = [spec.name for spec in all_specs() if spec.source is source]
    since = EVER if life is None else known_at - life
    oldest = (await tx.execute(_OLDEST, {"customer": customer_id, "kinds": kinds, "since": since, "known_at": known_at})).scalar()
    return oldest is not None and oldest <= gone


def _use(row: Row[Any], grantee: str, at: datetime) -> Use:
    return Use(grantee, row.use_purpose, row.scenario, row.as_of, at)


async def _remake(tx: Read | Write, row: Row[Any], kept: Mapping[str, Any]) -> _Remade:
    """By the versions that it names."""
    asked = _asked(row, kept["grantee"])
    codes = await codes_of(tx, [asked.customer_id])
    known = (await relations_of(tx, codes, row.as_of, row.known_at, kept.get("edges")))[asked.customer_id]
    taken, ground = used(await _versions(tx, kept["reference"]), known), Ground.of(kept, asked.use)
    (dossier,) = await load_dossiers(tx, [Wanted(asked.customer_id, asked.use, taken.reference, ground)], _seen(asked.customer_id, kept))
    prepared, looked = Prepared(dossier, ground, taken, asked.grantee), await watch_again(tx, asked, kept["watch"])
    followed = select(policy).where(policy.c.policy_id == row.policy_id, policy.c.version == row.policy_version)
    published = (await tx.execute(followed)).one()
    # What may be published today does not matter: by this one it was decided.
    found = unchecked_policy(published.document)
    changed = [*_changed(kept, prepared), *_changed_watch(kept["watch"], looked.document())]
    if found.sha256 != row.policy_sha256:
        changed.insert(0, f"Policy {row.policy_id} {row.policy_version} has another content than it had.")
    form = kept.get("form", 1)
    catalogue = taken.catalogue if form >= FORM else None
    made = await complete(dossier, found, asked.request, looked.watch, Answering(kept["models"]), str(asked.customer_id), catalogue)
    return _Remade(prepared, made, tuple(changed), form)


def _seen(customer_id: CustomerId, kept: Mapping[str, Any]) -> Seen:
    """By name: an objection or a party that is written after an evaluation may say that it was known before."""
    parties = kept.get("parties")
    return Seen({customer_id: Open.kept(kept.get("objections", NONE.named()))}, parties and [UUID(one) for one in parties])


def _asked(row: Row[Any], grantee: str) -> Asked:
    request = Request(row.request_purpose, row.requested_amount)
    return Asked(CustomerId(row.customer_id), row.scenario, request, row.as_of, row.known_at, grantee, row.use_purpose, row.what_if)


async def _versions(tx: Read | Write, kept: Mapping[str, Any]) -> list[Version]:
    named = [(name, version) for name, (version, _) in kept.items()]
    wanted = select(reference_version).where(tuple_(reference_version.c.name, reference_version.c.version).in_(named))
    return [Version.of(row) for row in await tx.execute(wanted.order_by(reference_version.c.name))] if named else []


def _changed(kept: Mapping[str, Any], prepared: Prepared) -> Iterator[str]:
    """Which inputs are not what they were."""
    there = {one.name: one for one in prepared.used.versions}
    for name, (version, sha256) in kept["reference"].items():
        if name not in there or digest(there[name].document) != sha256:
            yield f"Version {version} of the reference document {name} has another content than it had, or is gone."
    known = prepared.used.known
    if [known.edges, known.sha256] != kept["relations"]:
        yield f"{kept['relations'][0]:,} edges of the relationship graph were read, {known.edges:,} are there or they say something else."
    if subject_sha256(prepared.dossier) != kept["subject"]:
        yield "Who the customer is, or who answers for it, is not what was read then."
    if kept.get("objections", NONE.named()) != prepared.dossier.objections.named():
        yield "Facts that the customer objected to then are not among those that are read now."
    now = evidence_of(prepared.dossier)
    for name in sorted(kept["evidence"].keys() | now.keys()):
        was, is_ = kept["evidence"].get(name, [0, None]), now.get(name, [0, None])
        if was != is_:
            yield f"Facts of {name} are not those that were read: {was[0]:,} versions then, {is_[0]:,} now."


def _changed_watch(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Likewise of what the models know beside the dossier."""
    if was["loans"] != now["loans"]:
        yield f"What the lender had told of {was['loans'][0]:,} loans is not what is read now, of {now['loans'][0]:,}."
    if was["origin"] != now["origin"]:
        yield "The evaluation that stood when the loan was granted is not what it was, or is gone."


async def _stored(tx: Read | Write, row: Row[Any]) -> dict[Table, list[Mapping[str, Any]]]:
    """The rows of an evaluation, as they stand."""
    return {table: [dict(one._mapping) for one in await tx.execute(select(table).where(_this(table, row)))] for table in ORDER}


def _rows(row: Row[Any], remade: _Remade) -> dict[Table, list[dict[str, Any]]]:
    heading = Heading(
        customer_id=CustomerId(row.customer_id),
        evaluation_id=row.evaluation_id,
        created_at=row.created_at,
        supersedes=row.supersedes,
        inputs_digest=inputs_digest(remade.prepared.dossier, remade.found.made.policy, remade.found.made.request),
        use_purpose=row.use_purpose,
        known_at=row.known_at,
        what_if=row.what_if,
    )
    return as_then(rows_of(heading, remade.found), remade.form)


def _difference(before: Document, after: Document, inputs: Row[Any], remade: _Remade, stored_sha256: str) -> Difference:
    same = ("evaluation_inputs.result_sha256", inputs.result_sha256, stored_sha256)
    if inputs.result_sha256 == stored_sha256:
        same = ("evaluation_inputs.document", "the same result", "the same result, from other inputs")
    where, was, now = first_difference(before, after) or same
    return Difference(where, was, now, " ".join(_causes(before, inputs, remade, stored_sha256)))


def _causes(before: Document, inputs: Row[Any], remade: _Remade, stored_sha256: str) -> Iterator[str]:
    """Everything that is known to be otherwise, the weightiest first."""
    if stored_sha256 != inputs.result_sha256:
        yield "The stored result was changed after it was written: its digest is not the one that was kept."
        if not remade.changed:
            return
    yield from remade.changed
    formulas = list(_formulas(before))
    yield from formulas
    if inputs.code_version != code_version():
        yield f"It was made by version {inputs.code_version} of the hub; this is {code_version()}."
    if inputs.engine_sha256 != engine_sha256() and not formulas:
        yield "The engine's own documents are not those it was made by."
    if not remade.changed and (inputs.code_version, inputs.engine_sha256) == (code_version(), engine_sha256()):
        yield "Versions and sets of facts are the same: the content of a fact was changed in place, or the code under one version."


def _formulas(before: Document) -> Iterator[str]:
    rows = next(one["rows"] for one in before if one["table"] == "feature_value")
    for row in rows:
        entry = CATALOGUE.get(row["feature_id"])
        if entry is None or entry.version != row["formula_version"]:
            now = "is not there any more" if entry is None else f"is version {entry.version}"
            yield f"The formula of {row['feature_id']} was version {row['formula_version']} and {now}."
