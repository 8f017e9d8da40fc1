"""What a partner's transaction cannot do, whatever statement it is brought to run (:data:`hub.store.security.NEEDED`, ``BOUNDS``)."""

from __future__ import annotations

import contextlib
from uuid import UUID

import pytest
from msgspec import structs
from sqlalchemy import create_engine, pool, text
from sqlalchemy.exc import ProgrammingError

from hub.domain.enums import Purpose, SourceKind
from hub.store.database import Scope
from hub.store.embedded import Urls
from schema import services as contract
from tests.hub.app.conftest import Desk, link_for
from tests.hub.app.test_claims import OTHER
from tests.hub.app.test_services import agree

ME = Scope("partner-app", "CREDIT_APPROVAL")
IMPOSSIBLE = {
    "widen another purpose's consent": "UPDATE consent SET data_to = data_to + 99, data_life_days = 9999 WHERE purpose = 'POST_LOAN'",
    "end another purpose's consent": "UPDATE consent SET status = 'REVOKED' WHERE purpose = 'POST_LOAN'",
    "delete a consent": "DELETE FROM consent",
    "destroy a data key": "UPDATE data_key SET wrapped = NULL",
    "make a data key": "INSERT INTO data_key SELECT customer_id, gen_random_uuid(), wrapped, kek_id, now() FROM data_key",
    "delete a party": "DELETE FROM party",
    "rename a party": "UPDATE party SET name_masked = 'x'",
    "change a client": "UPDATE client SET scopes = '{customers:erase}'",
    "let a client come back": "UPDATE client SET disabled_at = NULL",
    "let ended tokens count again": "UPDATE client SET tokens_from = NULL",
    "make a client": "INSERT INTO client SELECT 'x', name, audience, scopes, purposes, jwks, bearer, return_urls, NULL, now() FROM client LIMIT 1",
    "forget a key": "DELETE FROM idempotency_key",
    "change a key's input": "UPDATE idempotency_key SET request_sha256 = 'x'",
    "erase a subject": "UPDATE customer SET erased_on = current_date",
    "touch a customer": "UPDATE customer SET created_at = now()",
    "delete a customer": "DELETE FROM customer",
    "take a link session": "UPDATE link_session SET browser_hash = 'x'",
    "change a credential": "DELETE FROM credential",
    "end a connection": "UPDATE connection SET status = 'DISCONNECTED'",
    "give a consent": "UPDATE consent SET status = 'ACTIVE' WHERE status = 'PENDING'",
    "say since when it is given": "UPDATE consent SET starts_at = now()",
    "revive what was withdrawn": "UPDATE consent SET status = 'ACTIVE' WHERE status = 'REVOKED'",
    "revive what has run out, to pause it": "UPDATE consent SET status = 'PAUSED' WHERE status = 'EXPIRED'",
    "revive what was replaced": "UPDATE consent SET status = 'ACTIVE' WHERE status = 'SUPERSEDED'",
    "ask for what has ended, to be resumed": "UPDATE consent SET status = 'PENDING' WHERE status IN ('REVOKED', 'EXPIRED', 'SUPERSEDED')",
    "ask for what was given, to be widened": "UPDATE consent SET status = 'PENDING' WHERE status = 'ACTIVE'",
    "resume what was never given": "UPDATE consent SET status = 'PAUSED' WHERE status = 'PENDING'",
    "let what has ended live longer": "UPDATE consent SET data_life_days = 9999, changed_at = now() WHERE status = 'REVOKED'",
    **{f"widen what was given: {terms}": f"UPDATE consent SET {terms} WHERE purpose = 'CREDIT_APPROVAL' AND status IN ('ACTIVE', 'PAUSED')" for terms in (
        "data_from = data_from - 1", "data_to = data_to + 1", "scenarios = array_append(scenarios, 'S99')", "kinds = array_append(kinds, 'Refund')", "kinds = NULL",
        "expires_at = expires_at + interval '1 second'", "expires_at = NULL", "data_life_days = data_life_days + 1", "mode = 'STREAM'", "fetch_type = 'PERIODIC'",
        "fetches_per_day = 25", "fetches_per_day = NULL", "text_hash = 'x'", "evidence = jsonb_build_object('x', 1)", "offer = NULL", "connector = 'x'", "changed_at = '-infinity'",
        "changed_at = 'infinity'", "narrowed_at = 'infinity'", "changed_at = now() + interval '6 minutes'",
    )},
    "end it so late that what it brought is never erased": "UPDATE consent SET status = 'REVOKED', changed_at = 'infinity' WHERE status = 'ACTIVE' AND purpose = 'CREDIT_APPROVAL'",
    "ask at a time to come": "UPDATE consent SET changed_at = 'infinity' WHERE status = 'PENDING' AND purpose = 'CREDIT_APPROVAL'",
    "ask for another one at a time to come": """INSERT INTO consent (customer_id, consent_id, source, connector, grantee, purpose, scenarios, data_from, data_to, status,
        data_life_days, written, adverse_notice, text_version, text_hash, evidence, changed_at)
        SELECT customer_id, gen_random_uuid(), 'BUREAU', connector, grantee, purpose, scenarios, data_from, data_to, 'PENDING',
        data_life_days, written, adverse_notice, text_version, text_hash, evidence, now() + interval '6 minutes' FROM consent WHERE purpose = 'CREDIT_APPROVAL' LIMIT 1""",
    "widen while it is ended": "UPDATE consent SET status = 'REVOKED', data_to = data_to + 1 WHERE status = 'ACTIVE'",
    "hand a consent to itself": "UPDATE consent SET apps = '{partner-app}'",
    "ask for a consent that is handed to it": """INSERT INTO consent (customer_id, consent_id, source, connector, grantee, purpose, scenarios, data_from, data_to, status,
        data_life_days, written, adverse_notice, text_version, text_hash, evidence, changed_at, apps)
        SELECT customer_id, gen_random_uuid(), 'SHOP', connector, grantee, purpose, scenarios, data_from, data_to, 'PENDING',
        data_life_days, written, adverse_notice, text_version, text_hash, evidence, changed_at, '{partner-app}' FROM consent LIMIT 1""",
    "say what was handed": "INSERT INTO consent_app (customer_id, consent_id, client_id, given_at, text_version, text_hash, evidence) SELECT customer_id, consent_id, 'partner-app', now(), '', '', '{}' FROM consent",
    "hand a consent to another purpose": "UPDATE consent SET purpose = 'MARKETING' WHERE status = 'PENDING'",
    "publish a policy": "INSERT INTO policy SELECT * FROM policy",
    "a consent's event in another's name": """INSERT INTO consent_event (customer_id, event_id, consent_id, to_status, actor, at)
        SELECT customer_id, gen_random_uuid(), consent_id, 'REVOKED', 'customer', now() FROM consent LIMIT 1""",
    "an identity's event in another's name": """INSERT INTO identity_event (customer_id, event_id, kind, actor, at)
        SELECT customer_id, gen_random_uuid(), 'PARTY_ENDED', 'risk-desk', now() FROM customer""",
    "a merge": """INSERT INTO identity_event (customer_id, event_id, kind, actor, at)
        SELECT customer_id, gen_random_uuid(), 'MERGED', 'partner-app', now() FROM customer""",
    "a line in a chain of the log": """INSERT INTO access_log
        (customer_id, log_id, client_id, purpose, operation, document_sha256, fields, outcome, at, shard, sequence)
        SELECT customer_id, gen_random_uuid(), 'partner-app', '', '', '', '{}', 'ANSWERED', now(), 3, 77 FROM customer""",
    "a line of the log in another's name": """INSERT INTO access_log
        (customer_id, log_id, client_id, purpose, operation, document_sha256, fields, outcome, at)
        SELECT customer_id, gen_random_uuid(), 'risk-desk', '', '', '', '{}', 'ANSWERED', now() FROM customer""",
    "a consent that was given": """INSERT INTO consent (customer_id, consent_id, source, connector, grantee, purpose, scenarios, data_from, data_to, status,
        data_life_days, written, adverse_notice, text_version, text_hash, evidence, changed_at)
        SELECT customer_id, gen_random_uuid(), 'SHOP', connector, grantee, purpose, scenarios, data_from, data_to, 'ACTIVE',
        data_life_days, written, adverse_notice, text_version, text_hash, evidence, changed_at FROM consent LIMIT 1""",
}  # fmt: skip


async def lived(desk: Desk) -> str:
    """A customer who was asked for two purposes, and gave one source for each."""
    made = await desk.shop()
    await desk.services.create_link_session(desk.call(), link_for(made, purpose=Purpose.POST_LOAN))
    async with desk.runtime.database.work() as tx:
        await tx.execute(text("UPDATE consent SET status = 'ACTIVE', starts_at = now()"))
    await desk.services.create_link_session(desk.call(), link_for(made))
    await agree(desk, made, SourceKind.TAX)
    return made


ENDED = ("REVOKED", "EXPIRED", "SUPERSEDED")
_TERMS = text("UPDATE consent SET fetch_type = 'ONETIME', fetches_per_day = 24 WHERE status = 'ACTIVE'")
_ENDED = text("""INSERT INTO consent (customer_id, consent_id, source, connector, grantee, purpose, scenarios, data_from, data_to, status, starts_at,
    data_life_days, written, adverse_notice, text_version, text_hash, evidence, changed_at)
    SELECT customer_id, gen_random_uuid(), :status, connector, grantee, purpose, scenarios, data_from, data_to, :status, starts_at,
    data_life_days, written, adverse_notice, text_version, text_hash, evidence, changed_at FROM consent WHERE status = 'ACTIVE' AND purpose = 'CREDIT_APPROVAL' LIMIT 1""")


async def with_ended(desk: Desk) -> None:
    """Consents of every end beside those that stand, whose terms can all be widened."""
    async with desk.runtime.database.work() as tx:
        await tx.execute(_TERMS)
        for status in ENDED:
            await tx.execute(_ENDED, {"status": status})


async def attempt(desk: Desk, statement: str) -> bool:
    """Whether it wrote anything. Raises what is wrong with a statement beside its rights."""
    try:
        async with desk.runtime.database.write(ME) as tx:
            return (await tx.execute(text(statement))).rowcount > 0
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) == "42501":
            return False
        raise


@pytest.mark.law("助贷 2025-9: own facts")
async def test_what_a_partner_s_transaction_cannot_do(desk: Desk, urls: Urls) -> None:
    """Refused, or nothing is there to be written."""
    await lived(desk)
    await with_ended(desk)
    assert [name for name, statement in IMPOSSIBLE.items() if await attempt(desk, statement)] == []
    await unbound(urls)
    for name in (
        "end another purpose's consent",
        "touch a customer",
        "rename a party",
        "a line in a chain of the log",
        "destroy a data key",
        *(name for name in IMPOSSIBLE if name.startswith(("revive ", "widen what was given"))),
    ):
        assert await attempt(desk, IMPOSSIBLE[name]), f"{name}: it is these rights that keep it from happening"


async def unbound(urls: Urls) -> None:
    """Rights as they were."""
    engine = create_engine(urls.owner, poolclass=pool.NullPool)
    with engine.begin() as owner:
        for name in ("customer", "party", "data_key", "consent"):
            owner.execute(text(f"GRANT UPDATE ON {name} TO hub_app"))
        for policy, name in (("update", "customer"), ("update", "consent"), ("insert", "access_log")):
            owner.execute(text(f"DROP POLICY bound_{policy} ON {name}"))
        owner.execute(text("DROP TRIGGER consent_only_narrows ON consent"))
    engine.dispose()


async def test_now_is_what_the_transaction_says(desk: Desk) -> None:
    """Business time is another one than the database's where a clock was moved: what is written lies within five minutes of what the transaction says."""
    await lived(desk)
    change = "UPDATE consent SET changed_at = changed_at + CAST(:later AS interval) WHERE status = 'ACTIVE' AND purpose = 'CREDIT_APPROVAL'"
    async with desk.runtime.database.work() as tx:
        await tx.execute(text("UPDATE consent SET changed_at = now() + interval '900 days'"))
        said = (await tx.execute(text("SELECT max(changed_at) FROM consent"))).scalar_one()
    wrote = []
    for later in ("4 minutes", "6 minutes"):
        with contextlib.suppress(ProgrammingError):
            async with desk.runtime.database.write(structs.replace(ME, now=said)) as tx:
                wrote.append((await tx.execute(text(change), {"later": later})).rowcount > 0 and later)
    assert wrote == ["4 minutes"]


async def test_what_its_mutations_do_goes_on(desk: Desk) -> None:
    made, services = await lived(desk), desk.services
    tax = SourceKind.TAX
    await services.consents.pause(desk.call(), contract.PauseConsent(made, tax))
    await services.consents.resume(desk.call(), contract.ResumeConsent(made, tax))
    await services.consents.narrow(desk.call(), contract.NarrowConsent(made, tax, None, None, None, None, 30, None))
    await services.create_link_session(desk.call(), link_for(made, renew=True))
    added = await services.identity.add_party(desk.call(), contract.AddParty(made, "GUARANTOR", OTHER, None))
    await services.identity.end_party(desk.call(), contract.EndParty(made, str(added.party_id), None, "no longer"))
    await services.consents.withdraw(desk.call(), contract.WithdrawConsent(made, tax))
    async with desk.runtime.database.work() as tx:
        rows = (
            await tx.execute(text("SELECT purpose, status FROM consent WHERE source = 'TAX' AND customer_id = :it"), {"it": UUID(made)})
        ).all()
    assert sorted(map(tuple, rows)) == [("CREDIT_APPROVAL", "REVOKED"), ("CREDIT_APPROVAL", "REVOKED"), ("POST_LOAN", "ACTIVE")]
