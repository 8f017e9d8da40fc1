"""What an evaluation keeps of its inputs: the exact way back to them, and digests that name what is no longer the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Table

from hub.credit.dossier import Dossier
from hub.credit.engine import code_version, engine_sha256
from hub.credit.models.reach import words_of
from hub.credit.models.run import Complete
from hub.credit.policies import document
from hub.domain.enums import SourceKind
from hub.store.dossier import Ground
from hub.store.evaluations.reference import Used
from hub.store.evaluations.rows import Heading
from hub.store.evaluations.watch import Looked
from hub.store.tables import evaluation, evaluation_profile, reason_text

Row = dict[str, Any]
FORM, WITH_PRODUCTS = 3, 2
"""What an evaluation tells, kept with its inputs. 1, and kept by none: neither industry clusters nor products. 2: not what it lacked, neither apart nor in its reasons' words."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that an evaluation is computed from, but the policy, the request and the models."""

    dossier: Dossier
    ground: Ground
    used: Used
    grantee: str


def inputs_row(heading: Heading, prepared: Prepared, looked: Looked, found: Complete, result_sha256: str) -> Row:
    """The row of ``evaluation_inputs``: with what the models knew beside the dossier, and what those outside answered."""
    answers = {one.slot.value: words for one in found.results if (words := words_of(one)) is not None}
    return {
        "customer_id": heading.customer_id,
        "evaluation_id": heading.evaluation_id,
        "document": {**document_of(prepared), "watch": looked.document(), "models": answers},
        "code_version": code_version(),
        "engine_sha256": engine_sha256(),
        "result_sha256": result_sha256,
    }


def document_of(prepared: Prepared) -> Mapping[str, Any]:
    known = prepared.used.known
    return {
        "form": FORM,
        "grantee": prepared.grantee,
        **prepared.ground.document(),
        "reference": {one.name: [one.version, one.sha256] for one in prepared.used.versions},
        "relations": [known.edges, known.sha256],
        "edges": list(known.ids),
        "parties": list(prepared.dossier.parties),
        "subject": subject_sha256(prepared.dossier),
        "evidence": evidence_of(prepared.dossier),
        **({"objections": prepared.dossier.objections.named()} if prepared.dossier.objections else {}),
    }


def as_then(rows: Mapping[Table, Sequence[Row]], form: int) -> dict[Table, list[Row]]:
    """The rows of an evaluation without what its form did not tell."""
    if form >= FORM:
        return {table: list(found) for table, found in rows.items()}
    without = _FIRST_FORM if form < WITH_PRODUCTS else _SECOND_FORM
    return {table: [without.get(table, dict)(one) for one in found] for table, found in rows.items()}


def _first_profile(row: Row) -> Row:
    missing = {name: why for name, why in row["missing"].items() if name != "clusters"}
    return {**row, "missing": missing, "clusters": None, "clusters_undecided": None}


def _early_reason(row: Row) -> Row:
    """Words of before: sources behind a closed gate were listed as in English in both languages, and what unknown rules ask for was not named."""
    said = document("reasons")["codes"][row["code"]]
    named = row["text_en"].removeprefix(said["en"]).removeprefix(": ")
    if set(named.split(", ")) <= set(SourceKind):
        return {**row, "text_zh": f"{said['zh']}：{named}"}
    return {**row, "text_en": said["en"], "text_zh": said["zh"]}


_FIRST_FORM: Mapping[Table, Callable[[Row], Row]] = {
    evaluation: lambda row: {**row, "all_in_cost": None, "lacking": None},
    evaluation_profile: _first_profile,
    reason_text: _early_reason,
}
_SECOND_FORM: Mapping[Table, Callable[[Row], Row]] = {evaluation: lambda row: {**row, "lacking": None}, reason_text: _early_reason}


def subject_sha256(dossier: Dossier) -> str:
    """Who it is, as a digest: nothing personal is kept a second time."""
    return hashlib.sha256(orjson.dumps(asdict(dossier.subject), option=orjson.OPT_SORT_KEYS)).hexdigest()


def evidence_of(dossier: Dossier) -> dict[str, list[Any]]:
    """How many fact versions of each kind and span were read, and the digest over their ids."""
    return {f"{one.kind} ({one.window})": [one.facts, one.digest] for one in dossier.evidence}
