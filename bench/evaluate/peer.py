"""The peer DuckDB: the same monthly series, and the simplest features, set-based, from the same tables. Runs in ``.venv-bench`` and imports nothing of the hub.

Prints seconds of reading (COPY out of PostgreSQL, several lines at once) and of computing, and the features of a sample, as JSON. It reads as superuser: consents, coverage
of kinds and knowledge at an instant cost it nothing, because it does not ask for them.
"""

# ruff: noqa: S608 -- our own words

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import psycopg2

TABLES = {
    "win": "SELECT customer_id, lower(covered)::date AS start FROM sync_window WHERE source = 'REGISTRATION'",
    "registration": "SELECT customer_id, established_on FROM fact_business_registration",
    "returns": "SELECT customer_id, tax_kind, period_start, declared_revenue, tax_payable, wage_total FROM fact_tax_return",
    "payments": "SELECT customer_id, paid_on, amount FROM fact_tax_payment WHERE tax_kind IN ('VAT', 'CIT')",
    "staff": "SELECT customer_id, (month || '-01')::date AS month, headcount, due_on, paid_on FROM fact_employer_social_insurance_month",
    "invoice": "SELECT customer_id, direction, issued_on, buyer, net, tax, status FROM fact_invoice",
    "movement": "SELECT customer_id, (at AT TIME ZONE 'Asia/Shanghai')::date AS day, direction, category, amount FROM fact_payment_transaction",
    "account": "SELECT customer_id, account_number, lender, secured, open FROM fact_credit_account",
    "repayment": "SELECT customer_id, account_number, (month || '-01')::date AS month, status FROM fact_repayment_month",
    "inquiry": "SELECT customer_id, organisation, inquired_on, reason FROM fact_credit_inquiry",
}
TYPES = {
    **dict.fromkeys(("start", "established_on", "period_start", "paid_on", "due_on", "month", "issued_on", "day", "inquired_on"), "DATE"),
    **dict.fromkeys(("declared_revenue", "tax_payable", "wage_total", "amount", "net", "tax"), "DECIMAL(18, 2)"),
    **{"customer_id": "UUID", "headcount": "BIGINT", "secured": "BOOLEAN", "open": "BOOLEAN"},
}
"""What is none of these is text."""
SERIES = """
CREATE TABLE cover AS SELECT customer_id, start, least(3, n) AS c3, least(6, n) AS c6, least(12, n) AS c12, least(24, n) AS c24
    FROM (SELECT customer_id, start, datediff('month', start, DATE '2025-12-01') + 1 AS n FROM win);
CREATE TABLE s AS SELECT customer_id, period_start AS month, declared_revenue AS v, tax_payable AS p FROM returns WHERE tax_kind = 'VAT';
CREATE TABLE wages AS SELECT customer_id, period_start AS month, wage_total AS v FROM returns WHERE tax_kind = 'IIT_WITHHOLDING';
CREATE TABLE trade AS SELECT i.customer_id, date_trunc('month', issued_on) AS month, sum(net) FILTER (direction = 'OUTPUT') AS io, sum(tax) FILTER (direction = 'OUTPUT') AS io_tax,
    sum(net) FILTER (direction = 'INPUT') AS ii FROM invoice i JOIN win w USING (customer_id)
    WHERE status <> 'VOIDED' AND issued_on >= start AND issued_on BETWEEN DATE '2024-01-01' AND DATE '2025-12-31' GROUP BY ALL;
CREATE TABLE cash AS SELECT m.customer_id, date_trunc('month', day) AS month, direction || '.' || category AS name, sum(amount) AS v FROM movement m JOIN win w USING (customer_id)
    WHERE day >= start AND day BETWEEN DATE '2024-01-01' AND DATE '2025-12-31' GROUP BY ALL;
"""
YEAR, HALF = "month >= DATE '2025-01-01'", "month >= DATE '2025-07-01'"
FEATURES = f"""
CREATE TABLE sales AS SELECT customer_id, sum(v) FILTER ({YEAR}) AS ss_net_sales, avg(v) FILTER ({HALF}) AS ss_avg_net_sales_6m, min(v) FILTER ({YEAR}) AS ss_min_month,
    stddev_pop(v) FILTER ({YEAR}) / avg(v) FILTER ({YEAR}) AS ss_cv, sum(v) FILTER ({YEAR}) / sum(v) FILTER (NOT {YEAR})::DOUBLE - 1 AS ss_growth_yoy,
    sum(v) FILTER (month >= DATE '2025-10-01') / sum(v) FILTER (month BETWEEN DATE '2024-10-01' AND DATE '2024-12-01')::DOUBLE - 1 AS ss_growth_3m_yoy,
    sum(v) FILTER ({HALF}) / sum(v) FILTER (month BETWEEN DATE '2024-07-01' AND DATE '2024-12-01')::DOUBLE - 1 AS ss_growth_6m_yoy,
    regr_slope(v, datediff('month', DATE '2025-01-01', month)) FILTER ({YEAR}) / avg(v) FILTER ({YEAR}) AS ss_trend,
    count(*) FILTER ({YEAR} AND v <= 0) AS ss_zero_months, count(*) FILTER ({YEAR} AND v > 0) AS ss_active_months, max(v) FILTER ({YEAR}) / avg(v) FILTER ({YEAR}) AS ss_peak_ratio,
    count(*) FILTER ({YEAR} AND v = 0) AS ss_zero_filings, sum(p) FILTER ({YEAR}) / sum(v) FILTER ({YEAR})::DOUBLE AS cs_vat_burden
    FROM s GROUP BY customer_id;
CREATE TABLE wage AS SELECT w.customer_id, sum(w.v) / sum(s.v)::DOUBLE AS cs_wage_ratio FROM wages w JOIN s USING (customer_id, month) WHERE {YEAR} GROUP BY 1;
CREATE TABLE vat AS SELECT customer_id, sum(io_tax) / sum(io)::DOUBLE AS r FROM trade WHERE {YEAR} GROUP BY 1;
CREATE TABLE bought AS SELECT s.customer_id, sum(ii) AS ps_purchase_amount, sum(ii) / sum(s.v)::DOUBLE AS ps_purchase_to_sales
    FROM s JOIN win USING (customer_id) LEFT JOIN trade t USING (customer_id, month) WHERE {YEAR} AND month >= start GROUP BY 1;
CREATE TABLE buyers AS SELECT customer_id, count(*) AS sc_customer_count, max(net) / sum(net)::DOUBLE AS sc_top1_customer_share FROM (
    SELECT i.customer_id, buyer, sum(net) AS net FROM invoice i JOIN win w USING (customer_id)
    WHERE direction = 'OUTPUT' AND status <> 'VOIDED' AND issued_on >= greatest(start, DATE '2025-01-01') AND issued_on <= DATE '2025-12-31' GROUP BY ALL) GROUP BY 1;
CREATE TABLE voided AS SELECT i.customer_id, coalesce(sum(net) FILTER (status = 'VOIDED'), 0) / sum(net)::DOUBLE AS ss_red_void_ratio FROM invoice i JOIN win w USING (customer_id)
    WHERE direction = 'OUTPUT' AND issued_on >= greatest(start, DATE '2025-01-01') AND issued_on <= DATE '2025-12-31' GROUP BY 1;
CREATE TABLE flow AS SELECT customer_id,
    sum(CASE WHEN name = 'IN.SALES_RECEIPT' THEN v WHEN name IN ('OUT.PURCHASE', 'OUT.RENT') THEN -v ELSE 0 END) FILTER ({YEAR}) AS rr_net_operating_cash,
    sum(v) FILTER ({HALF} AND name = 'IN.UNKNOWN') / sum(v) FILTER ({HALF} AND name LIKE 'IN.%')::DOUBLE AS ps_unknown_inflow_share FROM cash GROUP BY 1;
CREATE TABLE spent AS SELECT c.customer_id, sum(c.v) FILTER (name = 'OUT.RENT') / (sum(s.v) FILTER (name = 'OUT.RENT') * (1 + any_value(r))) AS cs_rent_ratio,
    1 - sum(c.v) FILTER (name = 'OUT.PURCHASE') / (sum(s.v) FILTER (name = 'OUT.PURCHASE') * (1 + any_value(r))) AS rr_gross_margin
    FROM cash c JOIN s USING (customer_id, month) JOIN vat USING (customer_id) WHERE {YEAR} GROUP BY 1;
CREATE TABLE debt AS SELECT customer_id, count(DISTINCT lender) FILTER (open AND NOT secured) AS rr_unsecured_lenders FROM account GROUP BY 1;
CREATE TABLE late AS SELECT r.customer_id, max(CASE status WHEN 'N' THEN 0 ELSE 30 END) AS rr_max_dpd_24m, count(DISTINCT r.month) FILTER (status = '1') AS rr_arrears_count_24m
    FROM repayment r JOIN win w USING (customer_id) WHERE month >= start GROUP BY 1;
CREATE TABLE hard AS SELECT customer_id, count(DISTINCT (organisation, inquired_on)) FILTER (inquired_on >= DATE '2025-10-01') AS h3, count(DISTINCT (organisation, inquired_on)) AS h6
    FROM inquiry WHERE reason = 'LOAN_APPROVAL' AND inquired_on BETWEEN DATE '2025-07-01' AND DATE '2025-12-31' GROUP BY 1;
CREATE TABLE people AS SELECT t.customer_id, avg(headcount) AS cs_headcount_avg, count(*) FILTER (paid_on <= due_on) AS cs_si_on_time_months,
    max(headcount) FILTER (month = DATE '2025-12-01') / max(headcount) FILTER (month = DATE '2025-01-01')::DOUBLE - 1 AS cs_headcount_change
    FROM staff t JOIN win w USING (customer_id) WHERE {YEAR} AND month >= start GROUP BY 1;
CREATE TABLE paid AS SELECT p.customer_id, sum(amount) AS ss_tax_paid FROM payments p JOIN win w USING (customer_id)
    WHERE paid_on BETWEEN greatest(start, DATE '2025-01-01') AND DATE '2025-12-31' GROUP BY 1;
CREATE TABLE features AS SELECT customer_id, sales.* EXCLUDE (customer_id), cs_wage_ratio,
    CASE WHEN c12 >= 10 THEN ps_purchase_amount END AS ps_purchase_amount, CASE WHEN c12 >= 10 THEN ps_purchase_to_sales END AS ps_purchase_to_sales,
    CASE WHEN c12 >= 10 THEN sc_customer_count END AS sc_customer_count, CASE WHEN c12 >= 10 THEN sc_top1_customer_share END AS sc_top1_customer_share,
    CASE WHEN c12 >= 10 THEN ss_red_void_ratio END AS ss_red_void_ratio, CASE WHEN c12 >= 10 THEN rr_net_operating_cash END AS rr_net_operating_cash,
    CASE WHEN c6 >= 5 THEN ps_unknown_inflow_share END AS ps_unknown_inflow_share, CASE WHEN c12 >= 10 THEN cs_rent_ratio END AS cs_rent_ratio,
    CASE WHEN c12 >= 10 THEN rr_gross_margin END AS rr_gross_margin, rr_unsecured_lenders, CASE WHEN c24 >= 20 THEN rr_max_dpd_24m END AS rr_max_dpd_24m,
    CASE WHEN c24 >= 20 THEN rr_arrears_count_24m END AS rr_arrears_count_24m, CASE WHEN c3 >= 3 THEN coalesce(h3, 0) END AS rr_hard_inquiries_3m,
    CASE WHEN c6 >= 5 THEN coalesce(h6, 0) END AS rr_hard_inquiries_6m, CASE WHEN c12 >= 10 THEN cs_headcount_avg END AS cs_headcount_avg,
    CASE WHEN c12 >= 10 THEN cs_si_on_time_months END AS cs_si_on_time_months, CASE WHEN c12 >= 12 THEN cs_headcount_change END AS cs_headcount_change,
    CASE WHEN c12 >= 10 THEN ss_tax_paid END AS ss_tax_paid, datesub('month', established_on, DATE '2026-01-15') AS ss_months_in_business
    FROM cover JOIN registration USING (customer_id) JOIN sales USING (customer_id) LEFT JOIN wage USING (customer_id) LEFT JOIN bought USING (customer_id)
    LEFT JOIN buyers USING (customer_id) LEFT JOIN voided USING (customer_id) LEFT JOIN flow USING (customer_id) LEFT JOIN spent USING (customer_id)
    LEFT JOIN debt USING (customer_id) LEFT JOIN late USING (customer_id) LEFT JOIN hard USING (customer_id) LEFT JOIN people USING (customer_id) LEFT JOIN paid USING (customer_id);
"""


def export(dsn: str, folder: Path, name: str) -> None:
    with psycopg2.connect(dsn) as line, line.cursor() as cursor, (folder / f"{name}.csv").open("wb") as out:
        cursor.copy_expert(f"COPY ({TABLES[name]}) TO STDOUT (FORMAT csv, HEADER)", out)


def main(dsn: str, home: str, cores: str, *sample: str) -> None:
    folder, began = Path(home), time.perf_counter()
    with ThreadPoolExecutor(int(cores)) as pool:
        list(pool.map(lambda name: export(dsn, folder, name), sorted(TABLES, key=lambda name: name not in ("movement", "invoice"))))
    read = time.perf_counter()
    duck = duckdb.connect(str(folder / "peer.duckdb"), config={"threads": int(cores)})
    for name in TABLES:
        header = (folder / f"{name}.csv").open().readline().strip().split(",")
        columns = {column: TYPES.get(column, "VARCHAR") for column in header}
        duck.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{folder / name}.csv', header = true, columns = {columns})")
    loaded = time.perf_counter()
    duck.execute(SERIES)
    duck.execute(FEATURES)
    done = time.perf_counter()
    rows = duck.execute("SELECT * FROM features WHERE customer_id::text IN (SELECT unnest(?))", [list(sample)])
    names = [one[0] for one in rows.description]
    found = {
        str(row[0]): {name: None if value is None else float(value) for name, value in zip(names[1:], row[1:], strict=False)}
        for row in rows.fetchall()
    }
    count = duck.execute("SELECT count(*) FROM features").fetchone()[0]
    told = {"customers": count, "seconds": done - began, "copied": read - began, "loaded": loaded - read, "computed": done - loaded}
    sys.stdout.write("\n" + json.dumps({**told, "features": len(names) - 1, "sample": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
