"""Every role against every field of the printed contract, of customers that stand in every way to it, asked of the real endpoint over a store in which nothing is empty
(trust rules, T17).

What may be seen is said by the printed contract alone: the scope of each step on the way, whose customer it is, and whether the kind of data is one that a consent must
cover.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from random import Random
from statistics import median
from typing import Any
from uuid import UUID

import orjson
import pytest
import pytest_asyncio
from graphql import FieldDefinitionNode, ObjectTypeDefinitionNode, parse, print_ast
from sqlalchemy import text

from hub.domain.caller import Caller
from hub.domain.enums import SourceKind
from hub.store.database import Database
from hub.store.embedded import Embedded
from schema.access import ANYONE, AUDIENCES, SCOPES
from schema.context import Context
from schema.contract import HubSchema, build_schema
from tests.databases import own
from tests.hub.access.side import NO_SERVICES, Api, open_api
from tests.schema.filled import CUSTOMERS, Standing, fill
from tests.schema.sdl import PRINTED, Contract, Step, named, read_contract

pytestmark = pytest.mark.asyncio(loop_scope="module")


def without(roots: set[str]) -> str:
    """The printed contract with fields of Query left out: what is behind them is reached by other ways."""
    document = parse(PRINTED.read_text("utf-8"))
    query = next(one for one in document.definitions if isinstance(one, ObjectTypeDefinitionNode) and one.name.value == "Query")
    left = tuple(one for one in query.fields or () if one.name.value not in roots)
    return "\n\n".join(print_ast(replace(one, fields=left) if one is query else one) for one in document.definitions)


SCHEMA: HubSchema = build_schema()
ELSEWHERE = {"node", "nodes"}
"""Fields of Query that are not asked for here: what has an id is asked for in :mod:`tests.schema.test_matrix_of_roots`."""
CONTRACT: Contract = read_contract(without(ELSEWHERE))
Coordinate = tuple[str, str]
ROLES = {"partner-app": "PARTNER", "risk-desk": "INTERNAL", "admin": "ADMIN"}
PROFILES = {"a customer": frozenset[str](), **AUDIENCES, **{f"only {scope}": frozenset({scope}) for scope in SCOPES}}
"""Every set of scopes that is asked with: whole classes, and each scope alone. A customer has none: he looks at the hub's own pages."""
CONSENTED = {*(str(kind) for kind in SourceKind), "RESULT", "EVIDENCE"}
"""Kinds of data that a consent must cover: what was fetched, and what was made of it."""
OFF_PAGES = {"quarantine"}
"""Counted off the raw pages, which no client sees without a consent; an operator counts them all the same."""
FIELDS_AT_ONCE = 120
ASKED = {"scenario": '"S03"'}
WHOSE = {"id": '"{id}"', "customerId": '"{id}"'}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(cluster: Embedded, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    database = Database(await cluster.prepare(own("matrix"), template="template"))
    async with open_api(database, tmp_path_factory.mktemp("home")) as opened:
        await fill(database, opened.world)
        for side in opened.sides.values():
            await side.login()
        # Somebody has asked before, so that there is a log to look at.
        await opened.sides["risk-desk"].ask("query ($id: ID!) { customer(id: $id) { nameMasked } }", {"id": opened.world.id})
        yield opened
    await database.close()


def batched(coordinates: Sequence[Coordinate], size: int) -> list[Sequence[Coordinate]]:
    """Some at a time; what is reached through different concrete types is not asked for at once, for their fields of one name may be of different types."""
    groups: dict[tuple[str, ...], list[Coordinate]] = {}
    for one in coordinates:
        groups.setdefault(tuple(step.owner for step in CONTRACT.ways[one] if step.field is None), []).append(one)
    return [group[start : start + size] for group in groups.values() for start in range(0, len(group), size)]


def fields_of(coordinate: Coordinate) -> list[tuple[Step, FieldDefinitionNode]]:
    return [(step, step.field) for step in CONTRACT.ways[coordinate] if step.field is not None]


def may(coordinate: Coordinate, scopes: frozenset[str]) -> bool:
    return CONTRACT.needs(coordinate) - {ANYONE.scope} <= scopes


def kind_of(owner: str, one: FieldDefinitionNode) -> str | None:
    """The kind of data of a field, as the contract prints it: its own, else its type's."""
    for directives in (one.directives, CONTRACT.types[owner].directives):
        for directive in directives or ():
            if directive.name.value == "access":
                return next(str(arg.value.value) for arg in directive.arguments or () if arg.name.value == "kind")  # type: ignore[union-attr]
    return None


def expected(coordinate: Coordinate, audience: str, standing: Standing) -> bool:
    """Whether the field can be reached, for a caller who holds every scope on the way."""
    steps = fields_of(coordinate)
    if not about_a_customer(steps[0][1]):
        return True
    watches = audience == "ADMIN" and steps[0][1].name.value != "customer"
    hidden = standing in (Standing.FOREIGN, Standing.NOT_GRANTED) and not watches
    for step, one in steps[:-1]:
        if hidden and (one.name.value in ("customer", "nodes", "edges")):
            return False
        if standing is Standing.NO_CONSENT and (is_row_of_consented(step, one) or (one.name.value in OFF_PAGES and audience != "ADMIN")):
            return False
    return True


def about_a_customer(root: FieldDefinitionNode) -> bool:
    return bool(WHOSE.keys() & {one.name.value for one in root.arguments or ()})


def is_row_of_consented(step: Step, one: FieldDefinitionNode) -> bool:
    """A step into rows of a kind of data that a consent must cover, or of a run: how much was fetched is told by it."""
    row = named(one.type)
    if row == "SyncRun":
        return True
    if row.endswith("Edge"):
        row = row.removesuffix("Edge")
    found = CONTRACT.types.get(row)
    if one.name.value not in ("nodes", "edges", "sample", "evaluation", "profile", "series", "hints", "groupLimit") or found is None:
        return False
    return any(kind_of(row, field) in CONSENTED for field in found.fields or ())


Tree = dict[str, Any]


def questions(coordinates: Sequence[Coordinate], customer: str) -> Iterator[str]:
    """As many fields at once as an operation may hold, merged into one tree."""
    for some in batched(coordinates, FIELDS_AT_ONCE):
        tree: Tree = {}
        for coordinate in some:
            inside = tree
            for step in CONTRACT.ways[coordinate]:
                inside = inside.setdefault(asked(step), {})
            last = CONTRACT.ways[coordinate][-1].field
            assert last is not None
            if named(last.type) in {*CONTRACT.types, *CONTRACT.unions}:
                inside.setdefault(something_of(last), {})
        yield written(tree).replace("{id}", customer)


def something_of(one: FieldDefinitionNode) -> str:
    """Of sums a sum: whoever asks for none gets none."""
    fields = getattr(CONTRACT.types.get(named(one.type)), "fields", None)
    return str(fields[0].name.value) if fields and one.name.value == "totals" else "__typename"


def asked(step: Step) -> str:
    if step.field is None:
        return step.text
    # Of the runs not every one made attempts and pauses; of all else two are as good as a hundred.
    values = {**ASKED, "first": "9" if step.field.name.value.startswith("sync") else "2"}
    given = {one.name.value: values[one.name.value] for one in step.field.arguments or () if one.name.value in values}
    given |= {one.name.value: WHOSE[one.name.value] for one in step.field.arguments or () if one.name.value in WHOSE}
    listed = ", ".join(f"{name}: {value}" for name, value in given.items())
    return step.field.name.value + (f"({listed})" if listed else "")


def written(tree: Tree) -> str:
    return "{ " + " ".join(key + (f" {written(below)}" if below else "") for key, below in tree.items()) + " }"


def shows(answer: Any, steps: Sequence[tuple[Step, FieldDefinitionNode]]) -> bool:
    """Whether some object on the way has the last field."""
    found = [answer]
    for _, one in steps[:-1]:
        below = [value.get(one.name.value) for value in found if isinstance(value, dict)]
        found = [item for value in below for item in (value if isinstance(value, list) else [value]) if item is not None]
    return any(isinstance(value, dict) and steps[-1][1].name.value in value for value in found)


async def seen(api: Api, client: str, standing: Standing, coordinates: Sequence[Coordinate]) -> dict[Coordinate, bool]:
    visible = dict.fromkeys(coordinates, False)
    for part, question in zip(batched(coordinates, FIELDS_AT_ONCE), questions(coordinates, str(CUSTOMERS[standing])), strict=True):
        answer = (await api.sides[client].ask(question)).json()
        assert "errors" not in answer, (answer["errors"], question)
        visible |= {one: shows(answer["data"], fields_of(one)) for one in part}
    return visible


async def mismatches(api: Api, client: str, standing: Standing) -> list[tuple[str, bool, bool]]:
    """Fields that are seen and should not be, or the other way round."""
    audience = ROLES[client]
    coordinates = [one for one in CONTRACT.ways if may(one, AUDIENCES[audience])]
    visible = await seen(api, client, standing, coordinates)
    wanted = {one: expected(one, audience, standing) for one in coordinates}
    wrong = [(".".join(one), visible[one], wanted[one]) for one in coordinates if visible[one] is not wanted[one]]
    print(f"\n{client}, {standing}: {sum(visible.values())} of {len(coordinates)} fields seen, {len(wrong)} mismatches")
    return wrong


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("client", ROLES)
async def test_each_role_sees_what_it_may_of_a_customer(api: Api, client: str, standing: Standing) -> None:
    assert await mismatches(api, client, standing) == []


@pytest.mark.parametrize(
    ("statement", "standing"),
    [
        ("insert into customer_client (customer_id, client_id) values ('{}', 'risk-desk')", Standing.NOT_GRANTED),
        ("update consent set status = 'ACTIVE' where customer_id = '{}' and source = 'SHOP'", Standing.NO_CONSENT),
        ("delete from customer_client where customer_id = '{}' and client_id = 'risk-desk'", Standing.OWN),
    ],
)
async def test_the_matrix_notices_a_customer_that_stands_otherwise(api: Api, statement: str, standing: Standing) -> None:
    """Control."""
    customer = CUSTOMERS[standing]
    async with api.runtime.database.work() as tx:
        await tx.execute(text(statement.format(customer)))
    try:
        assert await mismatches(api, "risk-desk", standing)
    finally:
        async with api.runtime.database.work() as tx:
            await tx.execute(text(UNDO[standing].format(customer)))


UNDO = {
    Standing.NOT_GRANTED: "delete from customer_client where customer_id = '{}'",
    Standing.NO_CONSENT: "update consent set status = 'REVOKED' where customer_id = '{}'",
    Standing.OWN: "insert into customer_client (customer_id, client_id) values ('{}', 'risk-desk')",
}


class Unread:
    """Whoever may not is refused before anything is read, or charged."""

    async def read(self, *_: Any) -> bytes:
        raise AssertionError("something was read")

    async def charge(self, *_: Any) -> None:
        raise AssertionError("something was charged")


async def test_what_a_profile_may_not_is_refused_field_by_field() -> None:
    """Each field alone: refused where a scope of its way is missing, and nothing is read. A customer and a partner ask the executor, who holds more is asked about as the executor asks."""
    verdicts: Counter[str] = Counter()
    for coordinate in CONTRACT.ways:
        question = CONTRACT.question(coordinate).replace("{id}", str(CUSTOMERS[Standing.OWN]))
        plan = SCHEMA.documents.plan(SCHEMA.documents.of(question, introspecting=False), None, {})
        for profile, scopes in PROFILES.items():
            refused = not set(plan.needs) <= scopes
            assert refused is not may(coordinate, scopes), (coordinate, profile)
            if refused and profile in ("a customer", "PARTNER"):
                caller = Caller("x", "PARTNER", scopes, "CREDIT_APPROVAL")
                result = await SCHEMA.execute(question, {}, Context(caller, Unread(), NO_SERVICES, Unread(), "00"))
                assert result.data is None and [type(one.original_error).__name__ for one in result.errors or ()] == ["NotAllowed"], (
                    coordinate
                )
            verdicts[profile] += refused
    print(f"\n{len(CONTRACT.ways)} fields, {len(PROFILES)} profiles: {verdicts.total()} refusals, as the contract says")


async def test_every_field_is_classified() -> None:
    """With a scope, a level and a kind; and it is one of those that the matrix asks for, or of a mutation's payload."""
    unclassified = [one for one in CONTRACT.ways if kind_of(one[0], CONTRACT.ways[one][-1].field) is None and not is_page(one[0])]  # type: ignore[arg-type]
    assert unclassified == []


def is_page(owner: str) -> bool:
    fields = {one.name.value for one in CONTRACT.types[owner].fields or ()}
    return owner == "PageInfo" or fields in ({"node", "cursor"}, {"totalCount", "totalIsExact", "nodes", "edges", "pageInfo"})


MANY, FEW, IN_ONE = 10_000, 150, 15


def forged(random: Random, known: Sequence[str], count: int) -> Iterator[str]:
    """Ids that are nobody's, or not the caller's: made up, with one digit changed, cut, lengthened, and put together from the parts of several."""
    kinds = ("Customer", "Evaluation", "Consent", "PlatformConnection", "Order", "")
    for n in range(count):
        one, other = random.choice(known), random.choice(known)
        place = random.randrange(len(one))
        match n % 6:
            case 0:
                yield str(UUID(int=random.getrandbits(128)))
            case 1:
                yield one[:place] + random.choice("0123456789abcdef".replace(one[place].lower(), "")) + one[place + 1 :]
            case 2:
                yield one[:place]
            case 3:
                yield one + random.choice(("0", " ", "\n", "%", "'", ":", "\u202e"))
            case 4:
                yield f"{random.choice(kinds)}:{one.split(':')[-1]}:{UUID(int=random.getrandbits(128))}"
            case _:
                yield f"{random.choice(kinds)}:{one}:{other}"


async def ids_of(api: Api, *standings: Standing) -> list[str]:
    """Every id that ``node`` would find for whoever may."""
    found = []
    for standing in standings:
        customer = CUSTOMERS[standing]
        found += [str(customer), f"Customer:{customer}:{customer}"]
        async with api.runtime.database.work() as tx:
            for kind, table, key in NODES:
                rows = await tx.execute(text(f"select {key} from {table} where customer_id = '{customer}'"))
                found += [f"{kind}:{customer}:{one}" for one in rows.scalars()]
    return found


NODES = (
    ("Consent", "consent", "consent_id"),
    ("Evaluation", "evaluation", "evaluation_id"),
    ("PlatformConnection", "connection", "connection_id"),
)


async def answers(api: Api, ids: Sequence[str]) -> tuple[Counter[tuple[int, bytes]], list[float]]:
    """What comes back, for fifteen ids at once, and how long each took."""
    bodies, took = Counter[tuple[int, bytes]](), []
    for start in range(0, len(ids), IN_ONE):
        some = ids[start : start + IN_ONE]
        some = [*some, *["x"] * (IN_ONE - len(some))]
        looked = " ".join(f"a{n}: customer(id: $i{n}) {{ id }} b{n}: node(id: $i{n}) {{ __typename }}" for n in range(IN_ONE))
        query = f"query ({', '.join(f'$i{n}: ID!' for n in range(IN_ONE))}) {{ {looked} }}"
        began = time.perf_counter()
        answer = await api.sides["risk-desk"].ask(query, {f"i{n}": one for n, one in enumerate(some)})
        took.append(time.perf_counter() - began)
        bodies[answer.status_code, answer.content] += 1
    return bodies, took


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.load)])
async def test_foreign_forged_and_absent_ids_answer_alike(api: Api, count: int) -> None:
    """T18: equal in body and status; the times are told."""
    foreign = await ids_of(api, Standing.FOREIGN, Standing.NOT_GRANTED)
    mine = await ids_of(api, Standing.OWN, Standing.NO_CONSENT)
    made = list(forged(Random(18), [*foreign, *mine], count))
    absent = [str(UUID(int=n << 64)) for n in range(1, 10 * IN_ONE)]
    (nothing,), took_absent = await answers(api, absent)
    taken = {}
    for name, ids in (("foreign", foreign), ("forged", [one for one in made if one not in mine])):
        bodies, took = await answers(api, ids)
        assert set(bodies) == {nothing}, name
        taken[name] = median(took)
    assert set(orjson.loads(nothing[1])["data"].values()) == {None}
    print(
        f"\n{len(foreign)} foreign and {len(made)} forged ids: one body. Median per operation, in ms: absent {1000 * median(took_absent):.1f}, ",
        end="",
    )
    print(", ".join(f"{name} {1000 * seconds:.1f}" for name, seconds in taken.items()))
    assert set((await answers(api, mine))[0]) != {nothing}, "control: the caller's own are found"


async def test_a_check_on_the_root_alone_is_noticed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """T18's control: whoever runs as the hub, past row-level security, finds what is somebody else's."""
    foreign = await ids_of(api, Standing.FOREIGN)
    before, _ = await answers(api, foreign)
    database = api.runtime.database
    as_worker = replace(database.urls, app=database.urls.worker)
    other = Database(as_worker)
    monkeypatch.setattr(database, "lines", other.lines)
    try:
        after, _ = await answers(api, foreign)
    finally:
        await other.close()
    assert set(before) != set(after)
