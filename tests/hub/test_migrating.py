"""An upgrade beside a hub that goes on working: each migration holds its own locks only, and large tables are written while their indexes are built."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, create_engine, pool, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from hub.domain.identifiers import CustomerId, is_uscc
from hub.errors import SchemaBehind
from hub.store.database import Database
from hub.store.embedded import Embedded, Urls
from hub.store.evaluations.reference import keep_reference, load_reference
from hub.store.migrate import alembic_config, migrate, require_current

LAST = "20261127g"
"""Before the indexes are built."""


@pytest.fixture
async def empty(cluster: Embedded) -> Urls:
    """A database without a table."""
    return await cluster.prepare(f"upgraded_{uuid.uuid4().hex}")


@pytest.fixture
async def owner(empty: Urls) -> AsyncIterator[Engine]:
    engine = create_engine(empty.owner, poolclass=pool.NullPool)
    yield engine
    engine.dispose()


def upgrade(urls: Urls, to: str, lock_timeout: str = "5s") -> None:
    config = alembic_config(urls.owner)
    config.attributes["lock_timeout"] = lock_timeout
    command.upgrade(config, to)


def revision(owner: Engine) -> str | None:
    with owner.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


async def test_who_needs_a_migration_that_is_missing_does_not_start(empty: Urls) -> None:
    with pytest.raises(SchemaBehind, match="at revision none, this hub needs ") as refused:
        await require_current(empty)
    assert refused.value.sentence().endswith("Run `hub migrate` first.")


async def test_what_was_done_before_a_migration_that_fails_stays_done(empty: Urls, owner: Engine) -> None:
    upgrade(empty, "20261127c")
    with owner.connect() as reader:
        reader.execute(text("LOCK TABLE access_log IN ACCESS SHARE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            upgrade(empty, "head", lock_timeout="200ms")
    assert revision(owner) == "20261127d"
    await migrate(empty)
    assert revision(owner) not in ("20261127d", LAST)


_LENT = text("INSERT INTO reference_data (name, document, changed_at) VALUES (:name, CAST(:document AS jsonb), '2026-01-01T00:00:00Z')")


async def test_the_lenders_data_of_before_are_taken_over_as_first_versions(empty: Urls, owner: Engine) -> None:
    """What says the same is not loaded again by the version that takes it over."""
    upgrade(empty, "20261127o")
    lender = {"lender": "样例银行", "margin_bands": {"F52": ["0.2", "0.4"]}}
    graph = {"92330203MA2DEMKX0M": [{"uscc": "91330203MA2DEMKX15", "type": "SPOUSE"}], "91330203MA2DEMKX15": []}
    with owner.begin() as connection:
        connection.execute(
            _LENT, [{"name": "lender", "document": json.dumps(lender)}, {"name": "relations", "document": json.dumps(graph)}]
        )
    upgrade(empty, "head")
    now, database = datetime(2026, 2, 1, tzinfo=UTC), Database(empty)
    async with database.work() as tx:
        found = await load_reference(tx, CustomerId(uuid.uuid4()), None, date(2026, 2, 1), now)
        assert (found.reference.lender, found.reference.margin_bands["F52"][1], [one.version for one in found.versions]) == (
            "样例银行", Decimal("0.4"), [1, 1],
        )  # fmt: skip
        assert await keep_reference(tx, "lender", lender, now) == []
        await keep_reference(tx, "relations", graph, now)
        edges = (await tx.execute(text("SELECT from_uscc, type, known_to FROM relation ORDER BY type"))).all()
        assert [tuple(row) for row in edges] == [("91330203MA2DEMKX15", "NONE", None), ("92330203MA2DEMKX0M", "SPOUSE", None)]
    await database.close()


NEW = text(
    "INSERT INTO customer (customer_id, kind, name_masked, subject_hash, created_at) VALUES (gen_random_uuid(), 'ORG', 'x', :subject, now())"
)
_BUILDING = text("SELECT 1 FROM pg_stat_progress_create_index WHERE relid = 'customer'::regclass")
_SOUND = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")


async def test_large_tables_are_written_while_their_indexes_are_built(empty: Urls, owner: Engine) -> None:
    admin = create_engine(str(empty.admin), poolclass=pool.NullPool)
    upgrade(empty, LAST)
    with admin.connect() as old, admin.connect() as other:
        old.execute(NEW, {"subject": "a"})
        going = asyncio.create_task(asyncio.to_thread(upgrade, empty, "head"))
        async with asyncio.timeout(30):
            while not _found(other):
                assert not going.done(), going.exception()
                await asyncio.sleep(0.02)
        other.execute(text("SET lock_timeout = '1s'"))
        other.execute(NEW, {"subject": "b"})
        other.commit()
        assert not going.done(), "it waits for the transaction that began before it"
        old.commit()
        await going
        assert other.execute(_SOUND).all() == []
    admin.dispose()


def _found(connection: Connection) -> bool:
    found = connection.execute(_BUILDING).first() is not None
    connection.commit()
    return found


async def test_one_host_migrates_and_the_other_waits(empty: Urls, owner: Engine) -> None:
    """And keeps no index from being finished: it waits between its statements."""
    upgrade(empty, LAST)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as first:
        first.execute(text("SELECT pg_advisory_lock(7305843009213693951)"))
        going = asyncio.create_task(asyncio.to_thread(upgrade, empty, "head"))
        await asyncio.sleep(0.5)
        first.execute(text("SET statement_timeout = '5s'"))
        first.execute(text("CREATE INDEX CONCURRENTLY ix_other ON customer (name_masked)"))
        assert not going.done() and revision(owner) == LAST
    await going
    assert revision(owner) != LAST


async def test_an_index_that_was_left_half_built_is_built_anew(empty: Urls, owner: Engine) -> None:
    upgrade(empty, LAST)
    with owner.begin() as connection:
        connection.execute(text("CREATE INDEX uq_customer_claim ON customer (name_masked)"))
    upgrade(empty, "head")
    with owner.connect() as connection:
        made = connection.execute(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'uq_customer_claim'")).scalar_one()
    assert made.startswith("CREATE UNIQUE INDEX") and "claim_hash" in made


async def test_a_migration_that_fails_between_its_indexes_is_begun_anew(empty: Urls, owner: Engine) -> None:
    """An autocommit block commits what stood before it: nothing does that could not be done twice."""
    upgrade(empty, "20261127j")
    with owner.begin() as connection:
        connection.execute(text("CREATE VIEW ix_evaluation_tier AS SELECT 1"))
    with pytest.raises(ProgrammingError, match="is not an index"):
        await migrate(empty)
    with owner.begin() as connection:
        connection.execute(text("DROP VIEW ix_evaluation_tier"))
    await migrate(empty)
    with owner.connect() as connection:
        assert connection.execute(_SOUND).all() == []


_CONSENT = text("""
    INSERT INTO consent (customer_id, consent_id, source, connector, grantee, purpose, data_from, data_to, status, starts_at, data_life_days, written, adverse_notice,
        text_version, text_hash, evidence, changed_at)
    VALUES (:customer, gen_random_uuid(), :source, 'c', 'g', 'CREDIT_APPROVAL', '2025-01-01', '2027-01-01', :status, :starts, 400, false, false, 'v', 'h',
        CAST(:evidence AS jsonb), now())
""")
_LINK = text("""
    INSERT INTO link_session (customer_id, link_id, token_hash, client_id, grantee, purpose, return_url, status, expires_at, created_at)
    VALUES (:customer, :link, :client, :client, 'g', 'CREDIT_APPROVAL', 'u', 'DONE', now(), now())
""")
_CLIENT = text("INSERT INTO client (client_id, name, audience, jwks, created_at) VALUES (:client, :client, :audience, '{}', now())")


async def test_consents_of_before_name_the_app_whose_link_they_were_given_on(empty: Urls, owner: Engine) -> None:
    upgrade(empty, "20261127t")
    customer, link, of_staff, started = uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), "2026-01-20T02:00:00+00:00"
    given = {
        "SHOP": ("ACTIVE", started, f'{{"link_id": "{link}", "address": "192.0.2.1"}}'),
        "SETTLEMENT": ("REVOKED", started, f'{{"link_id": "{link}"}}'),
        "TAX": ("ACTIVE", started, "{}"),
        "INVOICE": ("ACTIVE", started, f'{{"link_id": "{uuid.uuid4()}"}}'),
        "PAYMENT": ("ACTIVE", started, f'{{"link_id": "{of_staff}"}}'),
        "FARM": ("PENDING", None, "{}"),
    }
    admin = create_engine(str(empty.admin), poolclass=pool.NullPool)
    with admin.begin() as before:
        for client, audience, session in (("app", "PARTNER", link), ("risk", "INTERNAL", of_staff)):
            before.execute(_CLIENT, {"client": client, "audience": audience})
            before.execute(_LINK, {"customer": customer, "link": session, "client": client})
        for source, (status, starts, evidence) in given.items():
            before.execute(_CONSENT, {"customer": customer, "source": source, "status": status, "starts": starts, "evidence": evidence})
    upgrade(empty, "20261127u")
    with admin.connect() as after:
        named = {row.source: row.apps for row in after.execute(text("SELECT source, apps FROM consent"))}
        records = after.execute(
            text("SELECT c.source, a.* FROM consent_app a JOIN consent c USING (customer_id, consent_id) ORDER BY c.source")
        ).all()
        forced = after.execute(
            text("SELECT relname FROM pg_class WHERE relname IN ('consent', 'consent_app', 'link_session') AND NOT relforcerowsecurity")
        )
        assert forced.scalars().all() == [], "the owner was let off for the migration alone"
        on = after.execute(text("SELECT tgenabled FROM pg_trigger WHERE tgname = 'consent_only_narrows'")).scalar_one()
        assert on in ("O", b"O")
    admin.dispose()
    assert {source for source, apps in named.items() if apps} == {"SHOP", "SETTLEMENT"} and named["SHOP"] == ["app"]
    assert [(one.source, one.client_id, one.given_at.isoformat(), one.ended_at) for one in records] == [
        ("SETTLEMENT", "app", started, None),
        ("SHOP", "app", started, None),
    ]
    assert all(one.evidence == {"link_id": str(link), "before": "apps were named"} for one in records)
    assert connectors_enabled_before(empty) == ["*"], "a hub that has clients keeps what it has enabled"


def connectors_enabled_before(urls: Urls) -> list[str]:
    upgrade(urls, "20261127v")
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.connect() as found:
        return list(found.execute(text("SELECT connector FROM connector_assessment")).scalars())


async def test_a_hub_that_is_new_has_enabled_nothing_before(empty: Urls) -> None:
    assert connectors_enabled_before(empty) == []


_FACT = """
INSERT INTO {table} (customer_id, fact_id, source_key, version, known_from, known_to, connection_id, consent_id, page_id, position, content_hash, {columns})
VALUES (:customer, :fact, :key, :version, now(), CASE WHEN :version = 1 THEN now() END, :customer, :customer, :customer, 0, 'old', {values})
"""
_INVOICE = _FACT.format(
    table="fact_invoice",
    columns="code, number, direction, kind_code, issued_on, seller, buyer, net, tax, gross, status",
    values="'', :key, 'OUTPUT', '32', '2025-12-01', '92330203MA2DEMKX0M', :buyer, 1, 0, 1, 'NORMAL'",
)
_TAXPAYER = _FACT.format(table="fact_taxpayer_profile", columns="taxpayer_number, status", values=":buyer, 'NORMAL'")
_OBJECTION = """
INSERT INTO dispute (customer_id, dispute_id, kind, about, source_key, state, statement, raised_at, raised_by, due_on)
VALUES (:customer, :customer, 'TaxpayerProfile', :about, :key, 'OPEN', '', now(), 'x', '2026-01-01')
"""


async def test_natural_persons_numbers_of_before_are_hidden(empty: Urls, owner: Engine) -> None:
    """In every version; businesses' rows stay as they are. What is the same number stays one, so that nothing that is counted changes."""
    upgrade(empty, "20261127v")
    person, trader, firm, numeral = "339998198709170425", "33999820200917272901", "92330203MA2DEMKX0M", "123301004700000070"
    assert is_uscc(numeral)
    customer, about = uuid.uuid4(), uuid.uuid4()
    buyers = [person, f" {person[:6]} {person[6:]}", trader, firm, numeral]
    admin = create_engine(str(empty.admin), poolclass=pool.NullPool)
    with admin.begin() as before:
        before.execute(text("SET session_replication_role = replica"))
        for version in (1, 2):
            for number, buyer in enumerate(buyers):
                before.execute(
                    text(_INVOICE), {"customer": customer, "fact": uuid.uuid4(), "key": str(number), "version": version, "buyer": buyer}
                )
        before.execute(text(_TAXPAYER), {"customer": customer, "fact": about, "key": person, "version": 2, "buyer": person})
        before.execute(text(_OBJECTION), {"customer": customer, "about": about, "key": person})
    upgrade(empty, "20261127w")
    with admin.connect() as after:
        rows = after.execute(
            text("SELECT number, version, buyer, buyer_masked, content_hash FROM fact_invoice ORDER BY version, number")
        ).all()
        profile = after.execute(text("SELECT taxpayer_number, taxpayer_number_masked, source_key FROM fact_taxpayer_profile")).one()
        disputed = after.execute(text("SELECT source_key FROM dispute")).scalar_one()
        left = after.execute(text("SELECT tablename FROM pg_policies WHERE policyname = 'persons_are_hidden'")).all()
    admin.dispose()
    assert left == [], "the owner looked for the migration alone"
    for version in (1, 2):
        first, again, other, *public = [one for one in rows if one.version == version]
        assert first.buyer == again.buyer == profile.taxpayer_number == profile.source_key == disputed and len(first.buyer) == 43
        assert first.buyer_masked == again.buyer_masked == profile.taxpayer_number_masked == "339998********0425"
        assert len(other.buyer) == 43 and other.buyer != first.buyer and other.buyer_masked == "339998**********2901"
        assert all(bytes(one.content_hash) != b"old" for one in (first, again, other))
        assert [(one.buyer, one.buyer_masked, bytes(one.content_hash)) for one in public] == [(firm, None, b"old"), (numeral, None, b"old")]


async def test_evaluations_of_before_keep_the_kinds_of_their_evidence(empty: Urls, owner: Engine) -> None:
    """Also those that are written before the migration that fills them in has ended; and it may be begun anew."""
    upgrade(empty, "20261128d")
    written = text("""INSERT INTO feature_evidence (customer_id, evaluation_id, feature_id, ordinal, kind, source, facts, digest)
        SELECT CAST(:one AS uuid), CAST(:one AS uuid), 'f' || n, 0, CASE WHEN n % 2 = 0 THEN 'Order' ELSE 'Refund' END, 'SHOP', 1, '' FROM generate_series(1, 9) n""")
    admin = create_engine(str(empty.admin), poolclass=pool.NullPool)
    ones = [str(uuid.uuid4()) for _ in range(2)]
    with admin.begin() as connection:
        connection.execute(written, {"one": ones[0]})
    upgrade(empty, "20261128f")
    with admin.begin() as connection:
        connection.execute(written, {"one": ones[1]})
        assert connection.execute(text("SELECT count(*) FROM evidence_kind")).scalar() == 2, "by the trigger alone"
    for _ in range(2):
        upgrade(empty, "20261128g")
        with admin.begin() as connection:
            kept = {tuple(row) for row in connection.execute(text("SELECT evaluation_id::text, source, kind FROM evidence_kind"))}
            assert kept == {(one, "SHOP", kind) for one in ones for kind in ("Order", "Refund")}
            forced = text("SELECT count(*) FROM pg_class WHERE relname IN ('evidence_kind', 'feature_evidence') AND relforcerowsecurity")
            assert connection.execute(forced).scalar() == 2
            connection.execute(text("UPDATE alembic_version SET version_num = '20261128f'"))
    admin.dispose()
