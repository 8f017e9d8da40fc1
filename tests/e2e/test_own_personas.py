"""The project's own golden personas through the whole path, all on one stage: linked in a browser, read from the simulated platforms, evaluated, and what was derived comes
out. S07 and S09 walk in test_orders_and_plots; the shop of S03, a request for each day, under ``load``: a smaller one walks in test_main_job.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from connectors.sandbox.persona import Persona
from hub.cli.journey import Journey
from hub.cli.stage import Stage
from hub.consent import grants
from hub.domain.enums import SourceKind
from hub.domain.periods import Month, first_day
from hub.store.embedded import Urls
from tests.connectors.cn_persona import resident, uscc
from tests.e2e.case import on_stage
from tests.e2e.forked import Hub
from tests.e2e.test_orders_and_plots import straight
from tests.hub.credit.compare import differences
from tests.personas import NAMES, document_of
from tests.personas.arithmetic import wrong
from tests.personas.awkward import CASES, Document, closed
from tests.personas.people import DERIVED

_FROM = text("UPDATE consent SET data_from = :first WHERE customer_id = :customer AND source = :source")
WHOLE = (SourceKind.REGISTRATION, SourceKind.BUREAU, SourceKind.IDENTITY, SourceKind.PUBLIC_RECORD, SourceKind.PROCUREMENT, SourceKind.FARM)
"""These are asked once, for however long, and know what is older than their first month: a loan of long ago is owed today."""


class ItsOwnYears(Journey):
    """Each platform is asked for the months that it has, not for all that a consent covers: the empty answers of the years before are half of what a walk costs."""

    async def consent(self) -> list[str]:
        unreachable = await super().consent()
        async with self.stage.database.work() as tx:
            for kind, source in self.sources.items():
                first = {"first": first_day(Month(source.first)), "customer": self.customer_id, "source": kind.value}
                if kind not in WHOLE:
                    await tx.execute(_FROM, first)
        return unreachable

    async def result(self) -> Document:
        await self.evaluate()
        return await self.stage.document_of(self.customer_id, self.persona.id)


def refuses(persona: Persona) -> bool:
    return any(source.consent == "NEVER" for source in persona.sources.values())


async def walked(stage: Stage, personas: list[Persona]) -> dict[str, tuple[ItsOwnYears, Document]]:
    """All of them are linked before the worker begins: it would read for a customer as soon as he has authorised, and for longer than his own years."""
    journeys = [ItsOwnYears(stage, persona) for persona in personas]
    for journey in journeys:
        await journey.register()
        assert await journey.consent() == []
        await journey.send_sessions()
    for journey in journeys:
        ended = await journey.sync(quiet=True)
        # A platform of which nothing was consented to is not read.
        assert {state.verdict for state in ended} <= {"COMPLETE", "EMPTY_EXPECTED", *((None,) if refuses(journey.persona) else ())}, ended
        await journey.end_consents()
    return {journey.persona.id: (journey, await journey.result()) for journey in journeys}


async def test_every_scenario_through_the_platforms(urls: Urls, tmp_path: Path) -> None:
    """Tax data and credit reports come in fen here, in yuan in the other walks, and the facts are the same.

    Then a consent ends for two of them: the tax data of S01 are withdrawn, so that nobody can decide; the receipts of S02 expire, which costs it two observers' pairs."""
    personas = [Persona.model_validate(document_of(name)) for name in NAMES if name != "incense-shop"]
    async with on_stage(tmp_path, urls, *personas) as stage:
        stage.world.switches |= {name: {"fen"} for name in ("cn_tax", "cn_credit_bureau")}
        found = await walked(stage, personas)
        assert {name: wrong(document, DERIVED[name]()) for name, (_, document) in found.items()} == {one.id: [] for one in personas}
        assert [one.id for one in personas if found[one.id][1] != straight(one)] == []
        maker, printer = found["furniture-maker"][0], found["printing-house"][0]
        await _ended(maker, "TAX", expired=False)
        assert wrong(await maker.result(), closed("G02")) == []
        await _ended(printer, "PAYMENT", expired=True)
        document = document_of("printing-house")
        document["sources"]["PAYMENT"]["consent"] = "EXPIRED"
        assert await printer.result() == straight(Persona.model_validate(document))


async def _ended(journey: Journey, kind: str, *, expired: bool) -> None:
    async with journey.stage.database.work() as tx:
        (row,) = [row for row in await grants.consents_of(tx, journey.customer_id) if row["source"] == kind]
        end = grants.expire if expired else grants.withdraw
        await end(tx, journey.customer_id, row["consent_id"], journey.stage.clock.now())


def somebody_else(document: Document, name: str, number: int) -> Persona:
    """The same records of another person and another business."""
    said = json.dumps(document)
    person = document["people"][document["business"]["responsible"] if "business" in document else document["subject_person"]]
    said = said.replace(person["resident_id"], resident(f"{person['resident_id'][:14]}{number:03}"))
    if "business" in document:
        said = said.replace(document["business"]["uscc"], uscc(f"{document['business']['uscc'][:14]}{number:03}"))
    return Persona.model_validate(json.loads(said) | {"id": name})


def lender(case: str) -> str:
    """What stands on one stage has one lender's configuration."""
    return json.dumps(CASES[case].document()["reference"])


GROUPS = [list(group) for _, group in groupby(sorted(CASES, key=lender), key=lender)]


@pytest.mark.load
@pytest.mark.parametrize("cases", GROUPS, ids=lambda cases: cases[0])
async def test_who_is_hard_to_decide_through_the_platforms(urls: Urls, tmp_path: Path, cases: list[str]) -> None:
    personas = [somebody_else(CASES[case].document(), case, 100 + number) for number, case in enumerate(cases)]
    async with on_stage(tmp_path, urls, *personas) as stage:
        found = await walked(stage, personas)
        assert {case: wrong(document, CASES[case].derived) for case, (_, document) in found.items()} == {case: [] for case in cases}
        assert [one.id for one in personas if found[one.id][1] != straight(one)] == []


@pytest.mark.load
@pytest.mark.parametrize("name", ["online-seller", "small-manufacturer", "conflicting-data"])
def test_the_command_prints_what_is_expected(hub: Hub, shared: Path, name: str) -> None:
    answer = hub("evaluate", "--persona", str(shared / "golden" / f"{name}.json"), "--json")
    assert answer.returncode == 0, answer.stderr
    expected = json.loads((shared / "golden" / "expected" / f"{name}.json").read_text("utf-8"))
    assert differences(json.loads(answer.stdout), expected) == []


@pytest.mark.load
async def test_the_incense_shop_through_the_platforms(urls: Urls, tmp_path: Path) -> None:
    persona = Persona.model_validate(document_of("incense-shop"))
    async with on_stage(tmp_path, urls, persona) as stage:
        document: Any = (await walked(stage, [persona]))[persona.id][1]
        assert wrong(document, DERIVED["incense-shop"]()) == []
        assert document == straight(persona)
