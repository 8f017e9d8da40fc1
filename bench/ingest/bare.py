"""The bare peer: httpx, orjson, COPY, one commit per page; a table of the same columns with a primary key. No evidence, no versions, no checkpoint.

Prints ``{"rows", "seconds", "cpu"}`` as JSON.
"""

from __future__ import annotations

import sys
import time

import httpx
import orjson
import psycopg

COLUMNS = (
    "tid", "status", "created", "pay_time", "consign_time", "end_time", "total_fee", "discount_fee", "payment", "buyer_open_uid",
    "receiver_address", "receiver_city",
)  # fmt: skip
_TABLE = """
CREATE TABLE {table} (tid text PRIMARY KEY, status text NOT NULL, created timestamptz NOT NULL, pay_time timestamptz, consign_time timestamptz, end_time timestamptz,
    total_fee numeric(18, 2) NOT NULL, discount_fee numeric(18, 2) NOT NULL, payment numeric(18, 2) NOT NULL, buyer_open_uid text, receiver_address text,
    receiver_city text)
"""


def copy(origin: str, dsn: str, table: str, pages: int, size: int) -> int:
    """Reads page after page. Returns the number of rows."""
    rows, number = 0, 1
    statement = f"COPY {table} ({', '.join(COLUMNS)}) FROM STDIN"
    with httpx.Client(base_url=origin, trust_env=False) as client, psycopg.connect(dsn) as database:
        while number:
            answer = orjson.loads(client.get("/orders", params={"page": number, "pages": pages, "size": size}).content)
            with database.cursor() as cursor, cursor.copy(statement.encode()) as target:
                for order in answer["orders"]:
                    target.write_row([order[name] for name in COLUMNS])
            database.commit()
            rows, number = rows + len(answer["orders"]), answer["next"]
    return rows


def main(origin: str, dsn: str, table: str, pages: str, size: str) -> None:
    with psycopg.connect(dsn) as database:
        database.execute(_TABLE.format(table=table).encode())
    began, busy = time.perf_counter(), time.process_time()
    rows = copy(origin, dsn, table, int(pages), int(size))
    sys.stdout.buffer.write(orjson.dumps({"rows": rows, "seconds": time.perf_counter() - began, "cpu": time.process_time() - busy}))


if __name__ == "__main__":
    main(*sys.argv[1:])
