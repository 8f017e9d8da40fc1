"""What an evaluation keeps of its inputs: the exact way back to them, and digests that name what is no longer the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from hub.credit.dossier import Dossier
from hub.credit.engine import code_version, engine_sha256
from hub.credit.models.reach import words_of
from hub.credit.models.run import Complete
from hub.store.dossier import Ground
from hub.store.evaluations.reference import Used
from hub.store.evaluations.rows import Heading
from hub.store.evaluations.watch import Looked

Row = dict[str, Any]


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
        "grantee": prepared.grantee,
        **prepared.ground.document(),
        "reference": {one.name: [one.version, one.sha256] for one in prepared.used.versions},
        "relations": [known.edges, known.sha256],
        "subject": subject_sha256(prepared.dossier),
        "evidence": evidence_of(prepared.dossier),
        **({"objections": prepared.dossier.objections.named()} if prepared.dossier.objections else {}),
    }


def subject_sha256(dossier: Dossier) -> str:
    """Who it is, as a digest: nothing personal is kept a second time."""
    return hashlib.sha256(orjson.dumps(asdict(dossier.subject), option=orjson.OPT_SORT_KEYS)).hexdigest()


def evidence_of(dossier: Dossier) -> dict[str, list[Any]]:
    """How many fact versions of each kind and span were read, and the digest over their ids."""
    return {f"{one.kind} ({one.window})": [one.facts, one.digest] for one in dossier.evidence}
