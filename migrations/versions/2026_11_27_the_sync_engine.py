"""the sync engine

Expand first, contract later: new tables and columns that the version before does not look at.

Revision ID: 20261127
Revises: 20261124
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127"
down_revision = "20261124"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _quota_ledger()
    _grants()
    _history()
    _replays()
    _visibility()
    _webhooks()
    _dispatch()
    _rights()


def _quota_ledger() -> None:
    op.create_table(
        "quota_ledger",
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column(
            "credential",
            sa.Text(),
            nullable=False,
            comment="keyed hash of the application's identity at the platform, and of its address",
        ),
        sa.Column(
            "arrival",
            sa.DateTime(timezone=True),
            server_default=sa.text("'-infinity'"),
            nullable=False,
            comment="when the bucket is full again; later by one interval per call",
        ),
        sa.Column("minute", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="minutes since 1970"),
        sa.Column("minute_calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("minute_retries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "minute_foreign",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="calls the platform counted beyond ours",
        ),
        sa.Column("day", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="days since 1970 in China Standard Time"),
        sa.Column("day_calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "day_foreign", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="calls the platform counted beyond ours"
        ),
        sa.Column(
            "places",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="in flight: process -> [places, lease's end]",
        ),
        sa.Column("parked_until", sa.DateTime(timezone=True), nullable=True, comment="the platform asked to wait until then"),
        sa.Column("wanted_by", sa.Text(), nullable=True, comment="a process that was refused: the others leave it a place and a call"),
        sa.Column("wanted_interactive", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("wanted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("circuit", sa.Text(), server_default=sa.text("'CLOSED'"), nullable=False, comment="CLOSED, OPEN or HALF_OPEN"),
        sa.Column("circuit_failures", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="failures in a row"),
        sa.Column("circuit_since", sa.DateTime(timezone=True), nullable=True, comment="the first of them"),
        sa.Column(
            "circuit_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="OPEN: when a probe may leave; HALF_OPEN: until when it is waited for",
        ),
        sa.Column("circuit_probe", sa.Text(), nullable=True, comment="the process whose probe is under way"),
        sa.PrimaryKeyConstraint("connector", "credential", name=op.f("pk_quota_ledger")),
    )


def _grants() -> None:
    """What a credential's life is, and what is left to tell a platform when a connection has ended."""
    for column in (
        sa.Column("previous", sa.LargeBinary(), nullable=True, comment="sealed Grant before this one, kept until this one has worked once"),
        sa.Column("refresh_at", sa.DateTime(timezone=True), nullable=True, comment="from when on a run refreshes before it calls"),
        sa.Column(
            "refresh_expires_at", sa.DateTime(timezone=True), nullable=True, comment="end of the refresh token, where the platform tells it"
        ),
        sa.Column(
            "keep_alive_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="from when on a worker refreshes, whether or not anything is synced",
        ),
        sa.Column(
            "interrupted",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="exchanges in a row that died with their process",
        ),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="exchanges in a row that gave no answer"),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it is unknown or must be authorised again; never a value"),
    ):
        op.add_column("credential", column)
    op.create_index("ix_credential_keep_alive", "credential", ["keep_alive_at"], postgresql_where=sa.text("keep_alive_at IS NOT NULL"))
    for column in (
        sa.Column(
            "grant_expires_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the customer must authorise again at the latest; null: the platform sets no such day",
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="database time of the disconnection"),
        sa.Column("ended_reason", sa.Text(), nullable=True, comment="REQUESTED or CONSENT_ENDED"),
    ):
        op.add_column("connection", column)
    op.create_table(
        "revocation",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("revocation_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="as the connection's ended_reason"),
        sa.Column("state", sa.Text(), nullable=False, comment="DUE, DONE, GAVE_UP or SUPERSEDED (the customer has authorised anew)"),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=True, comment="sealed Grant; gone with the end, whatever the platform answered"
        ),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True, comment="what the platform said last; never a value"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "revocation_id", name=op.f("pk_revocation")),
    )
    op.create_index("ix_revocation_due", "revocation", ["due_at"], postgresql_where=sa.text("state = 'DUE'"))


def _history() -> None:
    """Scopes and passes of windows, backfills, replays, marks on versions, shapes of records."""
    more = (
        ("scope_hash", sa.Text(), True, None, "what was asked: another scope is read anew; null: by a version that did not say"),
        ("repeated", sa.BigInteger(), False, "0", "fetched records that came before in the same pass"),
        ("moved", sa.Boolean(), False, "false", "its list changed while it was read: the pass proves nothing"),
        ("keys_print", sa.BigInteger(), True, None, "of the last pass of several pages: which keys it brought"),
        ("passes", sa.Integer(), False, "1", "how often it was read in a row because its list moved"),
        ("proven_from", sa.BigInteger(), True, None, "serial of the first page of the last proven full pass"),
    )
    added = [
        [sa.Column(name, kind, nullable=nullable, server_default=default and sa.text(default), comment=comment) for name, kind, nullable, default, comment in more]
        for _ in range(2)
    ]
    for column in added[0]:
        op.add_column("sync_window", column)
    op.create_table(
        "backfill_window",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="OPEN, DONE, NOT_SERVED (out of the platform's reach) or FAILED"),
        sa.Column("cursor", postgresql.JSONB(), nullable=True),
        *[
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in ("pages", "fetched", "stored", "unchanged", "quarantined", "rejected")
        ],
        sa.Column("declared_total", sa.BigInteger(), nullable=True),
        sa.Column("covered", postgresql.DATEMULTIRANGE(), nullable=True, comment="days the facts of this window are complete for"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True, comment="business time"),
        *added[1],
        sa.PrimaryKeyConstraint("customer_id", "connection_id", "stream", "first_day", name=op.f("pk_backfill_window")),
    )
    op.add_column("sync_run", sa.Column("kind", sa.Text(), server_default=sa.text("'SYNC'"), nullable=False, comment="SYNC, BACKFILL or REPLAY"))
    op.add_column("sync_run", sa.Column("batch_id", sa.UUID(), nullable=True, comment="the backfill or replay that this run is a part of"))
    op.add_column(
        "raw_page",
        sa.Column(
            "serial",
            sa.BigInteger(),
            sa.Identity(),
            nullable=False,
            comment="order of commit within a connection: pages are folded in this order",
        ),
    )
    op.create_index("ix_raw_page_serial", "raw_page", ["connection_id", "serial"])
    op.create_table(
        "fact_mark",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("fact_id", sa.UUID(), nullable=False),
        sa.Column(
            "mark",
            sa.Text(),
            nullable=False,
            comment="REPLAYED (this version was made by a replay), GONE (closed: a proven full pass did not bring it), RETRACTED (closed: its page gives no such fact)",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="kind of fact"),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="business time"),
        sa.PrimaryKeyConstraint("customer_id", "fact_id", "mark", name=op.f("pk_fact_mark")),
    )
    op.create_table(
        "window_keys",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("windows", sa.Text(), nullable=False, comment="sync_window or backfill_window"),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("page_id", sa.UUID(), nullable=False),
        sa.Column("records", sa.LargeBinary(), nullable=False, comment="8 bytes per record with facts: which keys it brought"),
        sa.Column("facts", sa.LargeBinary(), nullable=True, comment="8 bytes per fact, where absence means deletion"),
        sa.PrimaryKeyConstraint("customer_id", "connection_id", "windows", "stream", "first_day", "page_id", name=op.f("pk_window_keys")),
    )


def _replays() -> None:
    """What a replay did, and what records look like."""
    op.create_table(
        "replay",
        sa.Column("replay_id", sa.UUID(), nullable=False),
        sa.Column("scope", postgresql.JSONB(), nullable=False, comment="the filters it was started with"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True, comment="null: not finished, or died"),
        sa.PrimaryKeyConstraint("replay_id", name=op.f("pk_replay")),
    )
    op.create_table(
        "record_shape",
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False, comment="where in a record; never a value"),
        sa.Column("type", sa.Text(), nullable=False, comment="bool, int, number, text, list or object"),
        sa.Column("sightings", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="sampled records that had it"),
        sa.Column("drifted", sa.Boolean(), nullable=False, comment="first seen after the stream's shape had been learned"),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False, comment="real time"),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False, comment="real time"),
        sa.PrimaryKeyConstraint("connector", "stream", "path", "type", name=op.f("pk_record_shape")),
    )


def _visibility() -> None:
    """What went wrong on the way, and who may watch how fetching goes."""
    op.create_table(
        "sync_event",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="database time"),
        sa.Column(
            "kind", sa.Text(), nullable=False, comment="ATTEMPT (one that failed; one that was answered is a raw page), WAIT or PARK"
        ),
        sa.Column("stream", sa.Text(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True, comment="class of the fault"),
        sa.Column("detail", sa.Text(), nullable=True, comment="what the fault said; never a value"),
        sa.Column("status", sa.Integer(), nullable=True, comment="HTTP status; null: no answer"),
        sa.Column("repeated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True, comment="how long the run pauses then"),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("interaction", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "event_id", name=op.f("pk_sync_event")),
    )
    op.create_index("ix_sync_event_run", "sync_event", ["customer_id", "run_id", "event_id"])
    op.create_index("ix_sync_event_at", "sync_event", ["at"])
    op.create_index("ix_sync_run_newest", "sync_run", ["run_id"])


def _webhooks() -> None:
    op.create_index(
        "ix_connection_account",
        "connection",
        ["connector", "account_hash"],
        unique=False,
        postgresql_where=sa.text("account_hash IS NOT NULL"),
    )
    op.create_table(
        "inbound_event",
        sa.Column("connector", sa.Text(), nullable=False),
        sa.Column(
            "event_hash", sa.Text(), nullable=False, comment="keyed hash of the platform's id of the event: a repetition has no effect"
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column(
            "reference_hash",
            sa.Text(),
            nullable=True,
            comment="as connection.account_hash; null: the event is about no authorisation",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="CHANGED or READY"),
        sa.Column("streams", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column(
            "body_hash", sa.Text(), nullable=False, comment="keyed hash of the bytes as received; the body itself is not kept"
        ),
        sa.Column(
            "connections", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="how many connections it made due"
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True, comment="when these are due; null: it made none due"),
        sa.PrimaryKeyConstraint("connector", "event_hash", name=op.f("pk_inbound_event")),
    )
    op.create_index(
        "ix_inbound_event_due",
        "inbound_event",
        ["connector", "reference_hash", "due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_inbound_event_received", "inbound_event", ["received_at"], unique=False)
    op.create_table(
        "touched_days",
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("connection_id", sa.UUID(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "connection_id", "stream", "first_day", "last_day", name=op.f("pk_touched_days")),
    )


def _dispatch() -> None:
    """How often in a row a connection failed: the next attempt is that much later."""
    op.add_column(
        "connection",
        sa.Column(
            "failures",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="runs in a row that failed or did not come to their end",
        ),
    )


def _rights() -> None:
    """As hub.store.security says; a test compares."""
    everything = "SELECT, INSERT, UPDATE, DELETE"
    owned = ("backfill_window", "fact_mark", "revocation", "sync_event", "touched_days", "window_keys")
    app = {"replay": None, "window_keys": everything}
    worker = {"fact_mark": "SELECT, INSERT"}
    for name in (*owned, "inbound_event", "quota_ledger", "record_shape", "replay"):
        if app.get(name, "SELECT"):
            op.execute(f"GRANT {app.get(name, 'SELECT')} ON {name} TO hub_app")
        op.execute(f"GRANT {worker.get(name, everything)} ON {name} TO hub_worker")
    visible = "customer_id IN (SELECT customer_id FROM customer_client WHERE client_id = (select current_setting('hub.client', true)))"
    for name in owned:
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY client_sees ON {name} TO hub_app USING ({visible}) WITH CHECK ({visible})")
        op.execute(f"CREATE POLICY hub_works ON {name} TO hub_worker USING (true) WITH CHECK (true)")
    operator = "(select current_setting('hub.operator', true)) = 'yes'"
    for name in ("backfill_window", "connection", "consent", "quarantine", "raw_page", "sync_event", "sync_run", "sync_window"):
        op.execute(f"CREATE POLICY operator_watches ON {name} FOR SELECT TO hub_app USING ({operator})")
    op.execute(f"CREATE POLICY operator_is_logged ON access_log FOR INSERT TO hub_app WITH CHECK ({operator})")
