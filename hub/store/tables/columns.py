"""Column shorthands and the mark of tables that belong to a customer."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, Numeric, Text
from sqlalchemy import text as sql

OWNED: dict[str, Any] = {"owner": "customer"}


def texts(name: str, **options: Any) -> Column[Any]:
    return Column(name, ARRAY(Text), nullable=False, server_default=sql("'{}'"), **options)


def count(name: str) -> Column[Any]:
    return Column(name, BigInteger, nullable=False, server_default=sql("0"))


def amount(name: str, *, nullable: bool = True, **options: Any) -> Column[Any]:
    return Column(name, Numeric(18, 2), nullable=nullable, **options)


def rate(name: str, **options: Any) -> Column[Any]:
    return Column(name, Numeric(9, 4), nullable=True, **options)
