"""The store of a run, grown by SQL: customers ``first`` to ``last`` with all that is theirs, in one statement per table.

Each customer has what a store of the hub would hold of him: consents, connections, pages, facts with their lineage, an evaluation whose features name their evidence.
Row-level security, keys and indexes are those of the migrations.
"""

# ruff: noqa: S608 -- our own words

from __future__ import annotations

import psycopg

from bench.kit.ground import GRANTEE
from bench.kit.growing import AT, CONSENT, ID, LINK, PAGE, C, N, fact, fill
from bench.kit.show import Show

CLIENT, PURPOSE = "risk-desk", "CREDIT_APPROVAL"
CONTRIBUTIONS, FEATURES, ORDERS, RETURNS = 12, 40, 20, 12
SOURCES = {
    "market": ("SHOP", "Order", "orders"),
    "bureau_of_tax": ("TAX", "TaxReturn", "returns"),
    "social_security": ("SOCIAL_INSURANCE", "SocialInsuranceContribution", "contributions"),
    "housing_fund": ("HOUSING_FUND", "HousingFundEntry", "entries"),
}

_LINKED = "(values " + ", ".join(f"('{name}', '{source}', '{kind}', '{stream}')" for name, (source, kind, stream) in SOURCES.items()) + ")"
_EACH = f"{N}, {_LINKED} l(connector, source, kind, stream)"

_MONTH = "('2025-01-01'::date + make_interval(months => i - 1))::date"
_MONTHS_END = f"({_MONTH} + interval '1 month' - interval '1 day')::date"


def _money(number: int) -> str:
    """A different amount for each customer and row."""
    return f"(((n * {7919 * number} + i * 104729) %% 9999991)::numeric / 100)"


_STATEMENTS = (
    f"insert into customer (customer_id, kind, name_masked, uscc, subject_hash, created_at) select {C}, 'ORG', '青*', null, md5('s' || n), {AT} from {N}",
    f"insert into customer_client (customer_id, client_id) select {C}, '{CLIENT}' from {N}",
    "insert into consent (customer_id, consent_id, source, connector, grantee, purpose, scenarios, data_from, data_to, status, starts_at, expires_at, data_life_days,"
    f" written, adverse_notice, text_version, text_hash, evidence, changed_at, kinds) select {C}, {CONSENT}, source, connector, '{GRANTEE}', '{PURPOSE}', '{{S03}}',"
    f" '2024-01-01', '2027-01-31', 'ACTIVE', {AT} - interval '2 days', {AT} + interval '1 year', 400, true, true, '2026-01-01', md5('t'), '{{}}', {AT},"
    f" array[kind] from {_EACH} order by n",
    "insert into connection (customer_id, connection_id, connector, status, last_verdict, created_at)"
    f" select {C}, {LINK}, connector, 'ACTIVE', 'COMPLETE', {AT} from {_EACH} order by n",
    f"insert into raw_page (customer_id, page_id, connection_id, consent_id, run_id, stream, first_day, request, status, fetched_at, sha256, size, body) select {C},"
    f" {PAGE}, {LINK}, {CONSENT}, pg_temp.id(n, 'run' || connector), stream, '2025-01-01', '{{}}', 200, {AT}, md5('p'), 1, 'x' from {_EACH} order by n",
    fact(
        "fact_order", "market", ORDERS, f"{AT}::date - (i * 9 + n %% 7)::int",
        "platform, order_number, status, created_at, paid_at, completed_at, goods_amount, discount, paid_amount, buyer_hash, buyer_masked, receiver_city",
        f"'market', n || '-' || i, 'COMPLETED', day + time '04:00', day + time '04:05', day + time '05:00', {_money(1)}, 0, {_money(1)}, md5(i || 'b'), 'b***', '330100'",
    ),
    fact(
        "fact_tax_return", "bureau_of_tax", RETURNS, _MONTHS_END,
        "tax_kind, period_start, period_end, amendment, filed_on, due_on, declared_revenue, exempt_revenue, output_tax, input_tax, tax_payable",
        f"'VAT', {_MONTH}, day, 0, day + 10, day + 15, {_money(2)}, 0, {_money(3)}, {_money(4)}, {_money(5)}",
    ),
    fact(
        "fact_social_insurance_contribution", "social_security", CONTRIBUTIONS, _MONTH,
        "person_hash, person_masked, employer, insurance, period, kind, city, base, declared_wage, employer_amount, employee_amount, paid_on",
        f"md5('h' || n), '110105********0018', '', 'PENSION', to_char({_MONTH}, 'YYYY-MM'), 'NORMAL', '330100', {_money(6)}, {_money(6)}, {_money(7)}, {_money(8)},"
        f" {_MONTH} + 14",
    ),
    "insert into evaluation (customer_id, evaluation_id, scenario, policy_id, policy_version, policy_sha256, as_of, known_at, request_purpose, outcome, tier,"
    " consistency, final_limit, score, document, inputs_digest, created_at)"
    f" select {C}, pg_temp.id(n, 'evaluation'), 'S03', 'S03', '2026-01-01', md5('x'), {AT}::date, {AT}, 'OPERATING', 'ENHANCED', 'HIGH', 0.9, 223000, 679, '{{}}',"
    f" md5('d' || n), {AT} from {N}",
    "insert into feature_value (customer_id, evaluation_id, feature_id, number, unit, formula_version, formula, window_first, window_last, covered_months)"
    f" select {C}, pg_temp.id(n, 'evaluation'), 'ss_feature_' || lpad(i::text, 2, '0'), round({_money(9)}, 2), 'YUAN', '1', 'mean', '2025-01', '2025-12', 12"
    f" from {N}, generate_series(1, {FEATURES}) i order by n, i",
    "insert into feature_evidence (customer_id, evaluation_id, feature_id, ordinal, kind, source, first_day, last_day, facts, digest) select"
    f" {C}, pg_temp.id(n, 'evaluation'), 'ss_feature_' || lpad(i::text, 2, '0'), 0, kind, source, '2025-01-01', '2025-12-31', 12, md5('e' || n)"
    f" from {N}, generate_series(1, {FEATURES}) i join (select *, row_number() over () %% 3 as place from {_LINKED} l(connector, source, kind, stream)"
    " where connector <> 'housing_fund') l on l.place = i %% 3 order by n, i",
)  # fmt: skip
_TABLES = ("customer", "customer_client", "consent", "connection", "raw_page", "fact_order", "fact_tax_return", "fact_social_insurance_contribution",
           "evaluation", "feature_value", "feature_evidence")  # fmt: skip


async def grow(dsn: str, first: int, last: int, show: Show) -> None:
    """Customers ``first`` to ``last``."""
    await fill(dsn, _STATEMENTS, _TABLES, first, last, show)


async def drawn(dsn: str, last: int, count: int) -> list[str]:
    """The ids of ``count`` customers, spread evenly over all."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as line:
        await line.execute(ID)
        found = await line.execute(
            f"select {C}::text from generate_series(1, %(count)s::bigint) i, lateral (select (i * %(last)s / %(count)s) as n) o order by md5(i::text)".encode(),
            {"count": min(count, last), "last": last},
        )
        return [row[0] for row in await found.fetchall()]
