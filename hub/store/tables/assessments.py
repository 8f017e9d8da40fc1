"""By which impact assessment each connector is enabled, since when. The newest row of a connector holds; the others are the record (PIPL 56)."""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, Date, Table, Text
from sqlalchemy import text as sql

from hub.store.metadata import instant, metadata, text

connector_assessment = Table(
    "connector_assessment",
    metadata,
    text("connector", primary_key=True, comment="its name; *: this database is older than the question"),
    instant("noted_at", primary_key=True, server_default=sql("clock_timestamp()")),
    text(
        "assessment_id", nullable=True, comment="the institution's id of the record; null: not stated, it was enabled before that was asked"
    ),
    Column("assessed_on", Date, nullable=True),
    Column("addresses", ARRAY(Text), nullable=True, comment="what the hub may call for it, sorted; null: not noted yet"),
)
