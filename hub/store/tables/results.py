"""What follows: policies, reference data, evaluations and their parts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, Index, Integer, Numeric, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, UUID

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.columns import OWNED, amount, rate, texts

policy = Table(
    "policy",
    metadata,
    text("policy_id", primary_key=True),
    text("version", primary_key=True),
    text("sha256"),
    Column("effective_from", Date, nullable=False),
    document("document"),
    instant("published_at"),
    text(
        "assessment_id",
        nullable=True,
        comment="the institution's id of the impact assessment; null: not stated, it was published before that was asked",
    ),
    Column("assessed_on", Date, nullable=True),
)

policy_draft = Table(
    "policy_draft",
    metadata,
    uid("draft_id", primary_key=True),
    text("policy_id"),
    text("version"),
    text("sha256"),
    Column("effective_from", Date, nullable=False),
    document("document"),
    text("state", comment="OPEN, TRIED, PUBLISHED or DISCARDED"),
    text("author", comment="client, or operator"),
    instant("created_at"),
    instant("tried_since", nullable=True, comment="evaluations made from then on are made once more by it, while it is TRIED"),
    text("decided_by", nullable=True, comment="who published it, never its author; or who discarded it"),
    instant("decided_at", nullable=True),
    text("note", nullable=True),
    Index("ix_policy_draft_tried", "policy_id", postgresql_where=sql("state = 'TRIED'")),
)

policy_end = Table(
    "policy_end",
    metadata,
    text("policy_id", primary_key=True),
    text("version", primary_key=True),
    Column("ends_on", Date, nullable=False, comment="first day on which it does not apply any more"),
    text("actor"),
    text("reason"),
    instant("at"),
)

policy_approval = Table(
    "policy_approval",
    metadata,
    text("policy_id", primary_key=True),
    text("version", primary_key=True),
    instant("approved_at", primary_key=True),
    text("actor"),
    text("note", comment="what was looked at"),
)
"""Approved anew, each year at the latest (互联网贷款 2020-9)."""

reference_data = Table(
    "reference_data",
    metadata,
    text("name", primary_key=True),
    document("document", comment="what the lender knows or has configured: its name, margin bands, whitelists"),
    instant("changed_at"),
)


evaluation = Table(
    "evaluation",
    metadata,
    customer_key(),
    uid("evaluation_id", primary_key=True),
    text("scenario"),
    text("policy_id"),
    text("policy_version"),
    text("policy_sha256"),
    Column("as_of", Date, nullable=False),
    instant("known_at"),
    text("request_purpose"),
    text("use_purpose", nullable=True, comment="purpose of the consents it read under; null: by a version that did not tell"),
    amount("requested_amount"),
    text("outcome"),
    text("tier", nullable=True),
    Column("tau", Numeric(3, 1), nullable=True),
    rate("consistency"),
    rate("coverage"),
    amount("verified_revenue"),
    Column("score", Integer, nullable=True),
    text("grade", nullable=True),
    rate("probability_of_default"),
    amount("base_limit"),
    amount("final_limit"),
    amount("enhancement"),
    rate("base_rate"),
    rate("rate"),
    rate("all_in_cost", comment="rate and fees a year, simple; null: nothing is offered, or made before it was kept"),
    rate("risk_adjusted_margin"),
    Column("base_term_months", Integer, nullable=True),
    Column("term_months", Integer, nullable=True),
    text("repayment", nullable=True),
    text("guarantee", nullable=True),
    texts("binding"),
    texts("flags"),
    texts("reasons"),
    texts("customer_reasons"),
    texts("notes"),
    text("next_best_source", nullable=True),
    Column(
        "lacking",
        JSONB(none_as_null=True),
        nullable=True,
        comment="what kept it from deciding, by name; null: nothing, or made before that was kept",
    ),
    document("document", comment="the whole result in the shape of the expected format"),
    text("inputs_digest", comment="hex SHA-256 over the versions of all facts read, consents and parameters"),
    instant("created_at"),
    Column("supersedes", UUID(as_uuid=True), nullable=True),
    Column(
        "inputs_erased_on",
        Date,
        nullable=True,
        comment="from then on only what was decided is left: no series, features, checks, points, limit parts",
    ),
    Column(
        "what_if",
        Boolean,
        nullable=False,
        server_default=sql("false"),
        comment="of another day than that on which it was made, or of what was known before: nothing is decided by it",
    ),
    Index("ix_evaluation_outcome", "outcome", "scenario", postgresql_where=sql("NOT what_if")),
    Index("ix_evaluation_tier", "tier", "scenario", postgresql_where=sql("NOT what_if")),
    Index("ix_evaluation_latest", "customer_id", "scenario", "created_at"),
    Index("ix_evaluation_inputs", "known_at", postgresql_where=sql("inputs_erased_on IS NULL")),
    info=OWNED,
)


def _of_evaluation(name: str, *columns: Any) -> Table:
    return Table(name, metadata, customer_key(), uid("evaluation_id", primary_key=True), *columns, info=OWNED)


evaluation_profile = _of_evaluation(
    "evaluation_profile",
    text("customer_type", nullable=True),
    texts("overlays"),
    text("size_class", nullable=True),
    text("product_class", nullable=True),
    text("industry_section", nullable=True, comment="letter of GB/T 4754-2017"),
    text("industry_code", nullable=True),
    text("region", nullable=True, comment="city in which a business is registered, as the register names it"),
    document("missing", comment="why what is null is null, by the name it has in the contract"),
    Column(
        "clusters", ARRAY(Text), nullable=True, comment="industry clusters it is known to belong to; null: by a version that did not tell"
    ),
    Column("clusters_undecided", ARRAY(Text), nullable=True, comment="those of which nobody can tell"),
    Column(
        "products",
        JSONB(none_as_null=True),
        nullable=True,
        comment="how the products of the catalogue fit, in their order; null: no catalogue was known",
    ),
    *(
        Index(f"ix_evaluation_profile_{name}", name)
        for name in ("customer_type", "size_class", "product_class", "industry_section", "industry_code", "region")
    ),
)
"""What kind of customer an evaluation found: what customers are chosen by."""

series_month = _of_evaluation(
    "series_month",
    text("series", primary_key=True),
    Column("month", Text, primary_key=True),
    Column("value", Numeric(), nullable=True, comment="null: the month is not covered"),
    text("source"),
)

feature_value = _of_evaluation(
    "feature_value",
    text("feature_id", primary_key=True),
    Column("number", Numeric(), nullable=True, comment="exact; rounded where it is shown, once"),
    text("text", nullable=True, comment="enumerations, booleans and special values"),
    text("unit"),
    text("missing_reason", nullable=True),
    text("formula_version"),
    text("formula"),
    text("window_first", nullable=True),
    text("window_last", nullable=True),
    Column("covered_months", Integer, nullable=True),
)

feature_evidence = _of_evaluation(
    "feature_evidence",
    text("feature_id", primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    text("kind", comment="kind of fact"),
    text("source"),
    Column("first_day", Date, nullable=True),
    Column("last_day", Date, nullable=True),
    Column("facts", BigInteger, nullable=False, comment="number of fact versions read"),
    text("digest", comment="hex SHA-256 over their ids, sorted"),
)

evidence_kind = _of_evaluation("evidence_kind", text("source", primary_key=True), text("kind", primary_key=True))
"""The kinds of fact that an evaluation's evidence is of, each once: what must be consented to for it to be shown. Written by :data:`EVIDENCE_LAW`."""

EVIDENCE_LAW = """
BEGIN
    INSERT INTO public.evidence_kind (customer_id, evaluation_id, source, kind) VALUES (NEW.customer_id, NEW.evaluation_id, NEW.source, NEW.kind)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
"""
"""The body of ``evidence_names_its_kind()``, which the trigger of that name calls after each row of evidence, whoever writes it: an evaluation rests on no kind that is not
kept here. Both tables only grow."""

policy_trial = _of_evaluation(
    "policy_trial",
    uid("draft_id", primary_key=True),
    text("left_out", nullable=True, comment="why the two cannot be compared; null: they can"),
    text("outcome", nullable=True),
    amount("final_limit"),
    rate("rate"),
    Column("term_months", Integer, nullable=True),
    texts("reasons"),
    instant("at"),
)

check_result = _of_evaluation(
    "check_result",
    text("check_id", primary_key=True),
    text("dimension"),
    text("status"),
    Column("deviation", Numeric(), nullable=True),
    Column("check_score", Numeric(), nullable=True),
    Column("weight", Numeric(), nullable=False),
    text("explanation_en"),
    text("explanation_zh"),
)

score_point = _of_evaluation(
    "score_point",
    text("characteristic", primary_key=True),
    text("feature_id"),
    Column("points", Integer, nullable=False),
    Column("maximum", Integer, nullable=False),
)

limit_part = _of_evaluation(
    "limit_part",
    text("part", primary_key=True, comment="LEG, UPLIFT, BASE_CAP or CAP"),
    text("code", primary_key=True),
    Column("amount", Numeric(18, 2), nullable=True),
    Column("share", Numeric(9, 4), nullable=True),
    Column("earned", Boolean, nullable=True),
    Column("binding", Boolean, nullable=False, server_default=sql("false")),
    texts("feature_ids"),
)

reason_text = _of_evaluation(
    "evaluation_reason",
    Column("ordinal", Integer, primary_key=True),
    text("code"),
    text("text_en"),
    text("text_zh"),
    text("cure_en"),
    text("cure_zh"),
    Column("customer_visible", Boolean, nullable=False),
)
