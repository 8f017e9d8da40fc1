"""The MetaData of the store, its naming convention and the column shorthands every table uses."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def uid(name: str, **options: Any) -> Column[Any]:
    return Column(name, UUID(as_uuid=True), **{"nullable": False, **options})


def text(name: str, **options: Any) -> Column[Any]:
    return Column(name, Text, **{"nullable": False, **options})


def instant(name: str, **options: Any) -> Column[Any]:
    return Column(name, DateTime(timezone=True), **{"nullable": False, **options})


def document(name: str, **options: Any) -> Column[Any]:
    return Column(name, JSONB, **{"nullable": False, **options})


def customer_key() -> Column[Any]:
    """First column of the primary key of every table that belongs to a customer (design, idea 5)."""
    return uid("customer_id", primary_key=True)
