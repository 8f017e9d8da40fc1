"""Whose account it is: the statement says what :func:`hub.domain.ownership.standing` says, of every mixture of owners, and only while consent holds."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, update

from hub.domain.facts import Invoice, spec_of_name
from hub.domain.identifiers import CustomerId, PersonalId
from hub.domain.ownership import OWNER_FIELDS, OwnerStanding, standing
from hub.store import tables
from hub.store.database import Database, Write
from hub.store.fact_tables import FACT_TABLES
from hub.store.facts import PageScope, write_facts
from hub.vault import Blind
from hub.vault.blind import FAMILIES, IDENTIFIER
from tests.hub.view.test_reading import ask
from tests.hub.view.world import KNOWN, PARTNER, RISK, World, build, consent_row

CODE = "91350100M000100Y43"
SUBJECT, OPERATOR, SPOUSE, FORMER, STRANGER = "subject", "operator", "spouse", "former", "stranger"
NAMED = (None, SUBJECT, OPERATOR, SPOUSE, FORMER, STRANGER)
PARTIES = (("SUBJECT", SUBJECT, None), ("LEGAL_REP", OPERATOR, None), ("SPOUSE", SPOUSE, None), ("CONTROLLER", FORMER, date(2026, 1, 20)))
"""Who has which role until when; the roles of today are those of 2026-01-20."""
ASK = "query ($id: ID!) { customer(id: $id) { connections { connector owner } } }"


async def customer_of(tx: Write, customer_id: UUID, uscc: str | None = CODE) -> None:
    row = {"customer_id": customer_id, "kind": "ORG", "name_masked": "*", "uscc": uscc, "subject_hash": SUBJECT, "created_at": KNOWN}
    await tx.execute(insert(tables.customer), row)
    await tx.execute(
        insert(tables.customer_client), [{"customer_id": customer_id, "client_id": one} for one in ("risk-desk", "partner-app")]
    )
    who = {"customer_id": customer_id, "name_masked": "*", "id_masked": "*", "identity": b""}
    rows = [
        {**who, "party_id": uuid4(), "role": role, "id_hash": one, "valid_to": end, "ended_at": end and KNOWN} for role, one, end in PARTIES
    ]
    await tx.execute(insert(tables.party), rows)


async def connected(tx: Write, world: World, customer_id: UUID, source: str, connector: str) -> dict[str, Any]:
    """A connection with a consent in force: what its facts have in common."""
    ids = {"customer_id": customer_id, "connection_id": uuid4(), "consent_id": uuid4(), "page_id": uuid4()}
    row = {
        "customer_id": customer_id,
        "connection_id": ids["connection_id"],
        "connector": connector,
        "status": "ACTIVE",
        "created_at": KNOWN,
    }
    await tx.execute(insert(tables.connection), row)
    await tx.execute(
        insert(tables.consent), {**consent_row(world, ids["consent_id"], source, connector=connector), "customer_id": customer_id}
    )
    page = {"run_id": uuid4(), "stream": "s", "first_day": KNOWN.date(), "request": {}, "status": 200, "fetched_at": KNOWN}
    await tx.execute(insert(tables.raw_page), {**ids, **page, "sha256": "", "size": 0, "body": b""})
    return ids


async def fact(tx: Write, ids: dict[str, Any], kind: str, **own: Any) -> None:
    """A fact of which nothing but these fields is of interest."""
    table = FACT_TABLES[kind]
    plain = {
        "str": "x",
        "date": KNOWN.date(),
        "datetime": KNOWN,
        "int": 1,
        "float": 1.0,
        "bool": True,
        "Decimal": 1,
        "bytes": b"x",
        "UUID": uuid4(),
    }
    row = {column.name: plain[column.type.python_type.__name__] for column in table.columns if not column.nullable}
    dated = {"known_from": KNOWN - timedelta(days=1), "known_to": None, "fact_id": uuid4(), "source_key": uuid4().hex, "version": 1}
    await tx.execute(insert(table), {**row, **dated, **ids, "occurred_on": None, **own})


async def owners(database: Database, customer_id: UUID, **more: Any) -> dict[str, str]:
    found = (await ask(database, ASK, **{"caller": RISK, **more}, id=str(customer_id)))["customer"]
    return {one["connector"]: one["owner"] for one in found["connections"]}


async def test_the_statement_says_what_the_rule_says(database: Database) -> None:
    """Two shops on one connection, each owned by anybody or by nobody: 36 mixtures, each a customer of its own."""
    world = await build(database)
    mixtures = {uuid4(): pair for pair in itertools.product(NAMED, repeat=2)}
    async with database.work() as tx:
        for customer_id, pair in mixtures.items():
            await customer_of(tx, customer_id)
            ids = await connected(tx, world, customer_id, "SHOP", "market")
            for owner in pair:
                await fact(tx, ids, "Shop", owner_hash=owner)
    found = {pair: (await owners(database, one))["market"] for one, pair in mixtures.items()}
    assert found == {pair: standing(pair, SUBJECT, [OPERATOR, SPOUSE]) for pair in mixtures.values()}
    counts = {one: list(found.values()).count(one) for one in OwnerStanding}
    print(counts)
    assert counts == {"UNKNOWN": 1, "MATCHES": 7, "IS_A_PARTY": 8, "DIFFERS": 20}


async def test_every_kind_that_names_an_owner_is_heard(database: Database) -> None:
    """Control: of a kind that is not listed nobody would hear a stranger."""
    world, customer_id = await build(database), uuid4()
    async with database.work() as tx:
        await customer_of(tx, customer_id)
        for one in OWNER_FIELDS:
            ids = await connected(tx, world, customer_id, one.source, one.kind)
            person = f"{one.person}_hash" if one.person else ""
            await fact(tx, ids, one.kind, **({person: STRANGER} if person else {}), **({"uscc": CODE} if one.uscc else {}))
        silent = await connected(tx, world, customer_id, "PROCUREMENT", "silent")
        await fact(tx, silent, "PersonalIncome", person_hash=STRANGER)
    found = await owners(database, customer_id)
    assert found.pop("silent") == "UNKNOWN" and set(found.values()) == {"DIFFERS"} and len(found) == len(OWNER_FIELDS) == 8


async def test_a_taxpayer_may_be_a_natural_person(database: Database) -> None:
    """Then the number is a keyed hash already, beside a masked form."""
    world, owned = (
        await build(database),
        {uuid4(): OwnerStanding.MATCHES, uuid4(): OwnerStanding.IS_A_PARTY, uuid4(): OwnerStanding.DIFFERS},
    )
    async with database.work() as tx:
        for customer_id, who in zip(owned, (SUBJECT, OPERATOR, STRANGER), strict=True):
            await customer_of(tx, customer_id, uscc=None)
            ids = await connected(tx, world, customer_id, "TAX", "tax")
            await fact(tx, ids, "TaxpayerProfile", uscc=who, uscc_masked="3***")
    assert {one: (await owners(database, one))["tax"] for one in owned} == owned


async def test_a_natural_persons_number_is_masked_and_chooses_nothing(database: Database) -> None:
    world, customer_id, person = await build(database), uuid4(), "339998198709170425"
    hashed = Blind(b"k" * 32).hash(IDENTIFIER, person)
    async with database.work() as tx:
        await customer_of(tx, customer_id)
        ids = await connected(tx, world, customer_id, "INVOICE", "tax")
        said = {
            "direction": "OUTPUT",
            "kind_code": "32",
            "issued_on": KNOWN.date(),
            "net": Decimal(1),
            "tax": Decimal(0),
            "gross": Decimal(1),
        }
        rest: dict[str, Any] = {**said, "status": "NORMAL", "original_number": None, "red_reason": None}
        sold = [Invoice(code="", number=number, seller=CODE, buyer=buyer, **rest) for number, buyer in (("1", person), ("2", CODE))]
        scope = PageScope(CustomerId(customer_id), ids["connection_id"], ids["consent_id"], ids["page_id"], KNOWN - timedelta(days=1))
        await write_facts(tx, scope, enumerate(sold), Blind(b"k" * 32))

    async def asked(given: str) -> list[str]:
        query = f"query ($id: ID!) {{ customer(id: $id) {{ invoices{given} {{ nodes {{ buyer seller }} }} }} }}"
        found = (await ask(database, query, caller=RISK, id=str(customer_id)))["customer"]["invoices"]["nodes"]
        assert {one["seller"] for one in found} <= {CODE}
        return sorted(one["buyer"] for one in found)

    assert await asked("") == ["339998********0425", CODE]
    assert await asked(f'(buyer: ["{CODE}", "{person}", "{hashed}", "339998********0425"])') == [CODE]


def test_owners_are_declared_as_fields_of_facts() -> None:
    for one in OWNER_FIELDS:
        fields = {field.name: field for field in spec_of_name(one.kind).fields}
        assert spec_of_name(one.kind).source == one.source
        assert one.person is None or FAMILIES[one.person] == IDENTIFIER, "or it never equals the customer"
        assert one.person is None or PersonalId.__name__ in str(fields[one.person].kind) or fields[one.person].kind.name == "PERSONAL"
        assert one.uscc is None or fields[one.uscc].kind.name in ("TEXT", "PARTY")


async def test_a_register_speaks_of_the_customer_s_own_code_only(database: Database) -> None:
    """A register lists other businesses of the same person; a tax authority's account is of one taxpayer."""
    world, customer_id, other = await build(database), uuid4(), "92330203MA2DEMKX0M"
    async with database.work() as tx:
        await customer_of(tx, customer_id)
        register = await connected(tx, world, customer_id, "REGISTRATION", "register")
        await fact(tx, register, "BusinessRegistration", uscc=other, responsible_hash=STRANGER)
        await fact(tx, await connected(tx, world, customer_id, "TAX", "tax"), "TaxpayerProfile", uscc=other, holder_hash=OPERATOR)
    assert await owners(database, customer_id) == {"register": "UNKNOWN", "tax": "DIFFERS"}
    async with database.work() as tx:
        await fact(tx, register, "BusinessRegistration", uscc=CODE, responsible_hash=OPERATOR)
    assert (await owners(database, customer_id))["register"] == "MATCHES"


async def test_it_is_told_only_while_it_may_be_read(database: Database) -> None:
    """A partner sees the standing, not the fact; without consent, for another purpose, and of an ended version nobody sees it."""
    world, customer_id = await build(database), uuid4()
    async with database.work() as tx:
        await customer_of(tx, customer_id)
        ids = await connected(tx, world, customer_id, "SHOP", "market")
        await fact(tx, ids, "Shop", owner_hash=STRANGER)
    assert await owners(database, customer_id, caller=PARTNER) == {"market": "DIFFERS"}
    other = type(PARTNER)(PARTNER.client_id, PARTNER.audience, PARTNER.scopes, "POST_LOAN")
    assert await owners(database, customer_id, caller=other) == {}, "not even that there is a connection"
    async with database.work() as tx:
        await tx.execute(update(tables.consent).where(tables.consent.c.customer_id == customer_id).values(status="REVOKED"))
    assert await owners(database, customer_id) == {"market": "UNKNOWN"}
    async with database.work() as tx:
        await tx.execute(update(tables.consent).where(tables.consent.c.customer_id == customer_id).values(status="ACTIVE"))
        await tx.execute(update(FACT_TABLES["Shop"]).where(FACT_TABLES["Shop"].c.customer_id == customer_id).values(known_to=KNOWN))
        await fact(tx, ids, "Shop", owner_hash=SUBJECT)
    assert await owners(database, customer_id) == {"market": "MATCHES"}
