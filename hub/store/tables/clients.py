"""Who asks: clients, their documents and budgets, signing keys, used token ids, the access log, idempotency keys."""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, Index, LargeBinary, Table
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import UUID

from hub.store.metadata import customer_key, document, instant, metadata, text, uid
from hub.store.tables.audit import linked
from hub.store.tables.columns import OWNED, texts

client = Table(
    "client",
    metadata,
    text("client_id", primary_key=True),
    text("name"),
    text("audience", comment="PARTNER, INTERNAL or ADMIN"),
    texts("scopes"),
    texts("purposes"),
    document("jwks", comment="public keys of the client"),
    Column("bearer", Boolean, nullable=False, server_default=sql("false"), comment="may use unbound tokens (internal clients only)"),
    texts("return_urls"),
    instant("disabled_at", nullable=True),
    instant("created_at"),
    text("documents", server_default=sql("'OPEN'"), comment="OPEN: any document; AUDIT: unknown ones are noted; ONLY: stored ones alone"),
    Column("cost_per_minute", BigInteger, nullable=True, comment="cost of its operations in one minute; null: as its audience"),
    instant("tokens_from", nullable=True, comment="tokens issued before are refused; null: none are for this"),
    instant("last_token_at", nullable=True, comment="when it last got a token, to the minute"),
    Column("listed_from", Date, nullable=True, comment="first day on the lender's public list of platforms; null: it is not on it"),
    Column("listed_to", Date, nullable=True, comment="last day on it; null: until further notice"),
    text("listed_in", nullable=True, comment="where the list is published"),
)

trusted_document = Table(
    "trusted_document",
    metadata,
    text("client_id", primary_key=True),
    text("sha256", primary_key=True, comment="of the document, as UTF-8"),
    text("document"),
    text("added_by"),
    instant("added_at"),
)

cost_ledger = Table(
    "cost_ledger",
    metadata,
    text("client_id", primary_key=True),
    instant("minute", primary_key=True, comment="its first instant, by the database's clock"),
    Column("taken", BigInteger, nullable=False, comment="cost that processes took to spend"),
)

signing_key = Table(
    "signing_key",
    metadata,
    text("kid", primary_key=True),
    document("public_jwk"),
    Column("sealed", LargeBinary, nullable=False, comment="sealed private key"),
    instant("created_at"),
    instant("retired_at", nullable=True, comment="signs nothing from then on; may lie ahead"),
)

used_token_id = Table(
    "used_token_id",
    metadata,
    text("kind", primary_key=True, comment="ASSERTION, DPOP or REVOKED"),
    text("issuer", primary_key=True),
    text("jti", primary_key=True),
    instant("expires_at"),
    Index("ix_used_token_id_expires", "expires_at"),
)

access_log = Table(
    "access_log",
    metadata,
    customer_key(),
    uid("log_id", primary_key=True),
    text("client_id"),
    text("purpose"),
    text("operation"),
    text("document_sha256"),
    texts("fields"),
    text("outcome"),
    instant("at"),
    Column(
        "consents",
        ARRAY(UUID(as_uuid=True)),
        nullable=False,
        server_default=sql("'{}'"),
        comment="in force, and what was read was read under them",
    ),
    texts("terms"),
    texts("withheld"),
    *linked(),
    Index("ix_access_log_chain", "shard", "sequence"),
    info=OWNED,
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    text("client_id", primary_key=True),
    text("key", primary_key=True),
    text("request_sha256", comment="keyed hash over the input's SHA-256; the bare one in rows of earlier versions"),
    document("response"),
    instant("created_at"),
    Index("ix_idempotency_key_created", "created_at"),
)
