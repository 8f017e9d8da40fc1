"""The portfolio of a run: businesses with two years of returns, contributions, invoices, movements and credit, consented for every scenario.

Every tenth is covered for nine months only, every tenth for ten: on both sides of what windows of twelve need at least.
"""

# ruff: noqa: S608 -- our own words

from __future__ import annotations

from bench.kit.ground import GRANTEE
from bench.kit.growing import AT, CONSENT, LINK, PAGE, C, N, fact, fill
from bench.kit.show import Show

PURPOSE = "CREDIT_APPROVAL"
SCENARIOS = "{S01,S02,S03,S04,S05,S06,S07,S08,S09,S10,S11,S12}"
SOURCES = {
    "register": ("REGISTRATION", "{BusinessRegistration}"),
    "tax": ("TAX", "{TaxpayerProfile,TaxReturn,TaxPayment,TaxCreditRating}"),
    "invoices": ("INVOICE", "{Invoice}"),
    "bank": ("PAYMENT", "{PaymentAccount,PaymentTransaction}"),
    "insurance": ("SOCIAL_INSURANCE", "{EmployerSocialInsuranceMonth}"),
    "bureau": ("BUREAU", "{CreditAccount,RepaymentMonth,CreditInquiry}"),
    "identity": ("IDENTITY", "{IdentityVerification}"),
}
_LINKED = "(values " + ", ".join(f"('{name}', '{source}', '{kinds}'::text[])" for name, (source, kinds) in SOURCES.items()) + ")"
_EACH = f"{N}, {_LINKED} l(connector, source, kinds)"
_USCC = "('91330100MA' || lpad(n::text, 8, '0'))"
_START = "(case n %% 10 when 0 then '2025-04-01' when 1 then '2025-03-01' else '2023-12-01' end)::date"
_MONTH = "('2024-01-01'::date + make_interval(months => i - 1))::date"
_MONTHS_END = f"({_MONTH} + interval '1 month' - interval '1 day')::date"
_NAME = f"to_char({_MONTH}, 'YYYY-MM')"
_PARTY = "('91440300MA' || lpad((n * 7 + i %% 5)::text, 8, '0'))"


def _money(number: int, base: int, spread: int) -> str:
    """A different amount for each customer and row, from ``base`` on."""
    return f"({base} + ((n * {7919 * number} + i * {104729 + number}) %% {spread * 100 + 1})::numeric / 100)"


_REVENUE = _money(1, 60_000, 40_000)


def _movement(category: str, direction: str, day: int, amount: str) -> str:
    """One movement a month."""
    return fact(
        "fact_payment_transaction", "bank", 24, f"{_MONTH} + {day}",
        "account_number_hash, account_number_masked, transaction_number, at, direction, amount, category",
        f"md5('a' || n), '6***', '{category}-' || i, (day + time '04:00') at time zone 'UTC', '{direction}', {amount}, '{category}'", category,
    )  # fmt: skip


def _invoice(direction: str, amount: str) -> str:
    seller, buyer = (_USCC, _PARTY) if direction == "OUTPUT" else (_PARTY, _USCC)
    return fact(
        "fact_invoice", "invoices", 24, f"{_MONTH} + (n %% 20)::int",
        "direction, code, number, kind_code, issued_on, seller, buyer, net, tax, gross, status",
        f"'{direction}', '', '{direction[0]}' || n || '-' || i, '01', day, {seller}, {buyer}, {amount}, round({amount} * 0.13, 2), {amount} + round({amount} * 0.13, 2),"
        f" case when (n + i) %% 37 = 0 then 'VOIDED' else 'NORMAL' end", direction,
    )  # fmt: skip


_STATEMENTS = (
    f"insert into customer (customer_id, kind, name_masked, uscc, subject_hash, created_at) select {C}, 'ORG', '青*', {_USCC}, md5('s' || n), {AT} from {N}",
    "insert into party (customer_id, party_id, role, name_masked, id_hash, id_masked, birth_on, identity)"
    f" select {C}, pg_temp.id(n, 'party'), 'LEGAL_REP', '李*', md5('h' || n), '1***', '1980-01-01'::date + (n %% 7000)::int, 'x' from {N}",
    "insert into consent (customer_id, consent_id, source, connector, grantee, purpose, scenarios, data_from, data_to, status, starts_at, expires_at, data_life_days,"
    f" written, adverse_notice, text_version, text_hash, evidence, changed_at) select {C}, {CONSENT}, source, connector, '{GRANTEE}', '{PURPOSE}', '{SCENARIOS}',"
    f" '2015-01-01', '2027-01-31', 'ACTIVE', {AT} - interval '2 days', {AT} + interval '1 year', 400, true, true, '2026-01-01', md5('t'), '{{}}', {AT}"
    f" from {_EACH} order by n",
    "insert into connection (customer_id, connection_id, connector, status, last_verdict, created_at)"
    f" select {C}, {LINK}, connector, 'ACTIVE', 'COMPLETE', {AT} from {_EACH} order by n",
    "insert into sync_window (customer_id, connection_id, stream, first_day, last_day, source, kinds, state, covered, run_id, completed_at)"
    f" select {C}, {LINK}, 'all', {_START}, '2026-01-14', source, kinds, 'DONE', datemultirange(daterange({_START}, '2026-01-15')), pg_temp.id(n, 'run'),"
    f" {AT} - interval '1 day' from {_EACH} order by n",
    f"insert into raw_page (customer_id, page_id, connection_id, consent_id, run_id, stream, first_day, request, status, fetched_at, sha256, size, body) select {C},"
    f" {PAGE}, {LINK}, {CONSENT}, pg_temp.id(n, 'run'), 'all', '2025-01-01', '{{}}', 200, {AT}, md5('p'), 1, 'x' from {_EACH} order by n",
    fact("fact_business_registration", "register", 1, "null::date", "uscc, name, status, industry_code, established_on, responsible_hash, responsible_masked,"
         " responsible_since, city, latitude, longitude",
         f"{_USCC}, '青', 'ACTIVE', 'C33' || n %% 5 || '0', '2015-03-01'::date + (n %% 3000)::int, md5('h' || n), '1***', '2018-01-01', '杭州市', 30.2, 120.2"),
    fact("fact_taxpayer_profile", "tax", 1, "null::date", "taxpayer_number, uscc, holder_hash, holder_masked, taxpayer_type, vat_frequency, status",
         f"{_USCC}, {_USCC}, md5('h' || n), '1***', 'GENERAL', 'MONTH', 'NORMAL'"),
    fact("fact_tax_return", "tax", 24, _MONTHS_END,
         "tax_kind, period_start, period_end, amendment, filed_on, due_on, declared_revenue, exempt_revenue, output_tax, input_tax, tax_payable",
         f"'VAT', {_MONTH}, day, 0, day + 10, day + 15, case when (n * 31 + i) %% 61 = 0 then 0 else {_REVENUE} end, 0, {_money(3, 8_000, 900)}, {_money(4, 6_000, 900)},"
         f" {_money(5, 1_500, 900)}"),
    fact("fact_tax_return", "tax", 24, _MONTHS_END, "tax_kind, period_start, period_end, amendment, filed_on, due_on, headcount, wage_total",
         f"'IIT_WITHHOLDING', {_MONTH}, day, 0, day + 10, day + 15, 5 + n %% 20, {_money(6, 20_000, 5_000)}", "IIT"),
    fact("fact_tax_payment", "tax", 24, f"{_MONTH} + 12", "voucher_number, tax_kind, late_fee, period_start, period_end, paid_on, amount",
         f"'v' || i, case when i %% 3 = 0 then 'CIT' else 'VAT' end, false, {_MONTH}, day, day, {_money(5, 1_500, 900)}"),
    fact("fact_tax_credit_rating", "tax", 2, "('2024-04-20'::date + make_interval(years => i - 1))::date", "rating_year, grade, points, published_on",
         "2022 + i, case when (n + i) %% 3 = 0 then 'B' else 'A' end, 92, day"),
    fact("fact_employer_social_insurance_month", "insurance", 24, _MONTH,
         "employer, month, insurance, headcount, base_sum, due, due_on, paid, paid_on, arrears",
         f"{_USCC}, {_NAME}, 'PENSION', 5 + n %% 20 + i %% 2, {_money(6, 20_000, 5_000)}, 3200, {_MONTH} + 24, 3200, {_MONTH} + 20 + (case when (n + i) %% 11 = 0 then 9 else 0 end), 0"),
    _invoice("OUTPUT", _money(1, 58_000, 41_000)),
    _invoice("INPUT", _money(2, 30_000, 20_000)),
    fact("fact_payment_account", "bank", 1, "null::date", "account_number_hash, account_number_masked, type, institution, holder_hash, holder_masked, role, scope",
         "md5('a' || n), '6***', 'BANK_CORP', '试验银行', md5('s' || n), '9***', 'SETTLEMENT', 'FULL'"),
    _movement("SALES_RECEIPT", "IN", 15, _money(7, 66_000, 44_000)),
    _movement("PURCHASE", "OUT", 18, _money(8, 34_000, 20_000)),
    _movement("RENT", "OUT", 3, "3000.00"),
    _movement("UNKNOWN", "IN", 20, _money(9, 100, 900)),
    fact("fact_credit_account", "bureau", 2, "'2024-03-01'::date",
         "account_number, borrower_hash, borrower_masked, lender, kind, repayment, secured, open, bank_tax_loan, opened_on, matures_on, credit_limit, balance, monthly_due",
         f"'c' || i, md5('s' || n), '9***', '银行' || (n + i) %% 4, 'OPERATING', 'AMORTISING', (n + i) %% 3 = 0, true, false, day, '2027-06-01', 200000, {_money(9, 20_000, 50_000)}, 4000"),
    fact("fact_repayment_month", "bureau", 24, _MONTH, "account_number, month, status", f"'c1', {_NAME}, case when (n * 13 + i) %% 97 = 0 then '1' else 'N' end"),
    fact("fact_credit_inquiry", "bureau", 6, "'2025-07-05'::date + (i * 31 + n %% 20)::int", "organisation, inquired_on, reason",
         "'银行' || i %% 4, day, case when i %% 3 = 0 then 'SELF' else 'LOAN_APPROVAL' end"),
    fact("fact_identity_verification", "identity", 1, "'2025-12-01'::date", "person_hash, person_masked, method, result, checked_on",
         "md5('h' || n), '1***', 'FACE_LIVENESS', 'MATCH', day"),
)  # fmt: skip
_TABLES = (
    "customer", "party", "consent", "connection", "sync_window", "raw_page", "fact_business_registration", "fact_taxpayer_profile", "fact_tax_return",
    "fact_tax_payment", "fact_tax_credit_rating", "fact_employer_social_insurance_month", "fact_invoice", "fact_payment_account", "fact_payment_transaction",
    "fact_credit_account", "fact_repayment_month", "fact_credit_inquiry", "fact_identity_verification",
)  # fmt: skip


async def grow(dsn: str, customers: int, show: Show) -> None:
    """Customers 1 to ``customers``."""
    await fill(dsn, _STATEMENTS, _TABLES, 1, customers, show)
