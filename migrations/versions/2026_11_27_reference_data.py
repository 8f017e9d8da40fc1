"""reference data

Reference documents with versions, the relationship graph, what evaluations were made from, and disputes. Expand only: new tables. What stands in ``reference_data`` is
taken over as first versions; the version before goes on with its own table.

Revision ID: 20261127p
Revises: 20261127o
"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127p"
down_revision = "20261127o"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_EVER = "2000-01-01"
_CLIENT = "(select current_setting('hub.client', true))"


def upgrade() -> None:
    _reference()
    _relations()
    _inputs()
    _windows()
    _disputes()
    _rights()
    _take_over()


def _reference() -> None:
    op.create_table(
        "reference_version",
        sa.Column("name", sa.Text(), nullable=False, comment="which document, for example margin_bands"),
        sa.Column("version", sa.Integer(), nullable=False, comment="1 for the first"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="hex, over its canonical JSON"),
        sa.Column("source", sa.Text(), nullable=False, comment="where the lender has it from"),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("effective_to", sa.Date(), nullable=True, comment="last day; null: until another one is in effect"),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("loaded_at", _INSTANT, nullable=False, comment="business time: it is known from then on"),
        sa.Column("loaded_by", sa.Text(), nullable=False, comment="client, or operator"),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_reference_version")),
    )


def _edge() -> list[sa.Column]:
    return [
        sa.Column("edge_id", sa.UUID(), nullable=False),
        sa.Column("from_uscc", sa.Text(), nullable=False),
        sa.Column("to_uscc", sa.Text(), nullable=True, comment="null for NONE alone: the business was looked at, and nothing was found"),
        sa.Column("type", sa.Text(), nullable=False, comment="a RelationType"),
        sa.Column("weight", sa.Numeric(9, 4), nullable=True, comment="share held, of SHAREHOLDING"),
        sa.Column("valid_from", sa.Date(), nullable=True, comment="first day; null: not told"),
        sa.Column("valid_to", sa.Date(), nullable=True, comment="last day; null: none so far"),
        sa.Column("evidence", sa.Text(), nullable=True, comment="what it was found by, in the lender's words"),
        sa.Column("source", sa.Text(), nullable=False, comment="where the lender has it from"),
        sa.Column("known_from", _INSTANT, nullable=False, comment="business time"),
        sa.Column("known_to", _INSTANT, nullable=True, comment="a newer version replaced it, or it was taken back"),
        sa.Column("loaded_by", sa.Text(), nullable=False),
    ]


def _relations() -> None:
    op.create_table("relation", *_edge(), sa.PrimaryKeyConstraint("edge_id", name=op.f("pk_relation")))
    op.create_index("ix_relation_from", "relation", ["from_uscc"])
    op.create_index("ix_relation_to", "relation", ["to_uscc"])
    owner = sa.Column("customer_id", sa.UUID(), nullable=False)
    op.create_table(
        "customer_relation", owner, *_edge(), sa.PrimaryKeyConstraint("customer_id", "edge_id", name=op.f("pk_customer_relation"))
    )
    op.create_index("ix_customer_relation_edge", "customer_relation", ["edge_id"])


def _inputs() -> None:
    said = "grantee, source states, terms of the consents, months served, versions and digests of what was read"
    engine = "hex, over the formulas' versions and the engine's documents"
    op.create_table(
        "evaluation_inputs",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("evaluation_id", sa.UUID(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False, comment=said),
        sa.Column("code_version", sa.Text(), nullable=False, comment="of the hub that made it"),
        sa.Column("engine_sha256", sa.Text(), nullable=False, comment=engine),
        sa.Column("result_sha256", sa.Text(), nullable=False, comment="hex, over the canonical JSON of all its rows"),
        sa.PrimaryKeyConstraint("customer_id", "evaluation_id", name=op.f("pk_evaluation_inputs")),
    )


def _windows() -> None:
    """What a window had covered is noted before it is read again: what was complete at an instant stays told."""
    op.create_table(
        "window_before",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("entry", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("covered", postgresql.DATEMULTIRANGE(), nullable=False),
        sa.Column("completed_at", _INSTANT, nullable=False, comment="business time"),
        sa.Column("replaced_at", _INSTANT, server_default=sa.text("clock_timestamp()"), nullable=False, comment="real time"),
        sa.PrimaryKeyConstraint("customer_id", "connection_id", "entry", name=op.f("pk_window_before")),
    )
    op.execute("""
        CREATE FUNCTION window_is_noted() RETURNS trigger LANGUAGE plpgsql AS $law$
        BEGIN
            INSERT INTO public.window_before (customer_id, connection_id, stream, first_day, source, kinds, covered, completed_at)
            VALUES (OLD.customer_id, OLD.connection_id, OLD.stream, OLD.first_day, OLD.source, OLD.kinds, OLD.covered, OLD.completed_at);
            RETURN NULL;
        END
        $law$""")
    op.execute("""
        CREATE TRIGGER window_is_noted AFTER UPDATE ON sync_window FOR EACH ROW
        WHEN (OLD.state = 'DONE' AND OLD.covered IS NOT NULL AND OLD.completed_at IS NOT NULL
            AND (NEW.state <> 'DONE' OR NEW.completed_at IS DISTINCT FROM OLD.completed_at))
        EXECUTE FUNCTION window_is_noted()""")


def _disputes() -> None:
    op.create_table(
        "dispute",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("dispute_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="kind of fact, or Evaluation"),
        sa.Column("about", sa.UUID(), nullable=False, comment="the fact, or the evaluation"),
        sa.Column("source_key", sa.Text(), nullable=True, comment="of a fact: later versions of it are disputed as well"),
        sa.Column("feature_id", sa.Text(), nullable=True, comment="of an evaluation: the value; null: the result"),
        sa.Column("state", sa.Text(), nullable=False, comment="OPEN, CORRECTED or KEPT"),
        sa.Column("statement", sa.LargeBinary(), nullable=False, comment="sealed: what the customer says"),
        sa.Column("note", sa.LargeBinary(), nullable=True, comment="sealed: what was answered"),
        sa.Column("raised_at", _INSTANT, nullable=False, comment="business time"),
        sa.Column("raised_by", sa.Text(), nullable=False, comment="client that passed it on"),
        sa.Column("due_on", sa.Date(), nullable=False, comment="day by which it must be answered"),
        sa.Column("resolved_at", _INSTANT, nullable=True, comment="business time"),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "dispute_id", name=op.f("pk_dispute")),
    )
    op.create_index("ix_dispute_about", "dispute", ["customer_id", "about"])
    op.create_index("ix_dispute_open", "dispute", ["due_on"], postgresql_where=sa.text("state = 'OPEN'"))


def _rights() -> None:
    """As hub.store.security says; a test compares."""
    due = "evaluation_id IN (SELECT unnest(t.evaluations) FROM tombstone t WHERE t.xact = pg_current_xact_id()::text)"
    operator = "(select current_setting('hub.operator', true)) = 'yes'"
    for statement in (
        "GRANT SELECT ON reference_version TO hub_app",
        "GRANT INSERT, SELECT ON reference_version TO hub_worker",
        "GRANT DELETE, INSERT, SELECT, UPDATE ON relation TO hub_worker",
        "GRANT SELECT ON customer_relation TO hub_app",
        "GRANT DELETE, INSERT, SELECT, UPDATE ON customer_relation TO hub_worker",
        "GRANT INSERT, SELECT ON evaluation_inputs TO hub_app",
        "GRANT DELETE, INSERT, SELECT ON evaluation_inputs TO hub_worker",
        "GRANT INSERT, SELECT ON window_before TO hub_app",
        "GRANT DELETE, INSERT, SELECT, UPDATE ON window_before TO hub_worker",
        "GRANT INSERT, SELECT ON dispute TO hub_app",
        "GRANT DELETE, INSERT, SELECT, UPDATE ON dispute TO hub_worker",
    ):
        op.execute(statement)
    for table in ("customer_relation", "dispute", "evaluation_inputs", "window_before"):
        visible = f"EXISTS (SELECT 1 FROM customer_client k WHERE k.customer_id = {table}.customer_id AND k.client_id = {_CLIENT})"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY client_sees ON {table} TO hub_app USING ({visible}) WITH CHECK ({visible})")
        op.execute(f"CREATE POLICY hub_works ON {table} TO hub_worker USING (true) WITH CHECK (true)")
    op.execute(f"CREATE POLICY erased_only ON evaluation_inputs AS RESTRICTIVE FOR DELETE TO hub_worker USING ({due})")
    op.execute(f"CREATE POLICY operator_watches ON dispute FOR SELECT TO hub_app USING ({operator})")
    raised = f"raised_by = {_CLIENT} AND state = 'OPEN' AND note IS NULL AND resolved_at IS NULL AND resolved_by IS NULL"
    op.execute(f"CREATE POLICY bound_insert ON dispute AS RESTRICTIVE FOR INSERT TO hub_app WITH CHECK ({raised})")


def _take_over() -> None:
    """The documents of the version before, as if they had always been in effect. Which customers the edges touch `hub migrate` finds out: the owner sees no customer."""
    connection = op.get_bind()
    for name, document, changed_at in connection.execute(sa.text("SELECT name, document, changed_at FROM reference_data")).all():
        if name == "lender":
            for part, value in document.items():
                values = {"name": part, "sha256": _sha256(value), "document": json.dumps(value), "at": changed_at, "ever": _EVER}
                connection.execute(_VERSION, values)
        elif name == "relations":
            edges = [_row(own, row, changed_at) for own, rows in document.items() for row in (rows or [None])]
            if edges:
                connection.execute(_EDGE, edges)


_VERSION = sa.text("""
    INSERT INTO reference_version (name, version, sha256, source, effective_from, document, loaded_at, loaded_by)
    VALUES (:name, 1, :sha256, 'lender.json', :ever, CAST(:document AS jsonb), :at, 'operator')
""")
_EDGE = sa.text("""
    INSERT INTO relation (edge_id, from_uscc, to_uscc, type, source, known_from, loaded_by)
    VALUES (gen_random_uuid(), :own, :other, :type, 'relations.json', :at, 'operator')
""")

def _row(own: str, row: dict[str, str] | None, at: object) -> dict[str, object]:
    return {"own": own, "other": row and row["uscc"], "type": row["type"] if row else "NONE", "at": at}


def _sha256(value: object) -> str:
    """Over canonical JSON: members in order, no blanks, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
