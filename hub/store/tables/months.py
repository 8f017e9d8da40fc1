"""The monthly series of shops: what each month of single orders and refunds sums up to, kept until something of that month changes.

A month is stale from the transaction on that writes, closes or erases a fact of it: triggers say so (``touched``), so that nobody can forget it. ``seen`` is the snapshot
its sums were made from; they hold while that snapshot saw the last touch. So whoever sums and whoever writes never wait for each other.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Numeric, Table, Text
from sqlalchemy import text as sql

from hub.store.metadata import customer_key, instant, metadata, uid
from hub.store.tables.columns import OWNED

shop_month = Table(
    "shop_month",
    metadata,
    customer_key(),
    uid("connection_id", primary_key=True),
    Column(
        "month", Date, primary_key=True, comment="its first day; an order's month is that of its payment, a refund's that of its success"
    ),
    Column("first_on", Date, nullable=False, server_default=sql("'-infinity'"), comment="no fact of the month is dated before"),
    Column("last_on", Date, nullable=False, server_default=sql("'infinity'"), comment="no fact of the month is dated after"),
    Column("touched", BigInteger, nullable=False, server_default=sql("0"), comment="the last transaction that changed a fact of the month"),
    Column("seen", Text, nullable=True, comment="the snapshot that the sums are of; null: there are none"),
    instant("oldest", nullable=True, comment="the first fact of it became known"),
    instant("newest", nullable=True, comment="the last change of it became known"),
    Column("orders", BigInteger, nullable=True),
    *(Column(name, Numeric(), nullable=True) for name in ("gmv", "refunds", "completed", "weighted")),
    info=OWNED,
)
