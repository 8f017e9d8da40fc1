"""Every error has a code of the list that partners read, and each code of the list is met."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

import schema.plan.extension as extension_module
from hub import errors
from hub.errors import HubError, KeyReused, PlatformBusy
from hub.store.tables import client
from schema.codes import ALWAYS, CODES, code_of
from schema.endpoint import _SHOWN, GRAPHQL_JSON
from schema.mutations.problems import BY_CLASS
from tests.hub.access.side import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")
DOCS = Path(__file__).resolve().parents[2] / "docs" / "partners.md"
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "PARSE_FAILED": ("{", {}),
    "VALIDATION_FAILED": ("{ nope }", {}),
    "DOCUMENT_TOO_LARGE": ("{" + "a: __typename " * 31 + "}", {}),
    "OPERATION_UNKNOWN": ("query A { __typename } query B { __typename }", {}),
    "VARIABLES_INVALID": ("query ($id: ID!) { customer(id: $id) { id } }", {"id": {}}),
    "COST_TOO_HIGH": ("{ customers(first: 100) { nodes { evaluations(first: 100) { nodes { id outcome } } } } }", {}),
    "INVALID_INPUT": ("{ customers(first: 101) { nodes { id } } }", {}),
    "NOT_ALLOWED": ("{ customers { nodes { orders { totalCount } } } }", {}),
    "BAD_REQUEST": (" ", {}),
}


async def test_partners_read_the_list_that_the_code_has() -> None:
    lines = [line for line in DOCS.read_text("utf-8").splitlines() if (line.startswith("| `") and "| 4" in line) or "| 5" in line]
    assert lines == [f"| `{code}` | {status} | {what} |" for code, (status, what) in CODES.items()], (
        "copy schema.codes.CODES into docs/partners.md"
    )


@pytest.mark.parametrize("code", ASKED)
async def test_a_code_is_met(api: Api, code: str) -> None:
    query, variables = ASKED[code]
    answer = await api.sides["partner-app"].ask(query, variables, {"Accept": GRAPHQL_JSON})
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {code}
    assert answer.status_code == CODES[code][0]


async def test_reading_ends_when_the_partner_s_time_is_over(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statement is ended, too, and its connection serves the next one."""
    assert extension_module.DEADLINES == {"PARTNER": 2.0}
    query = "{ customers(first: 1) { nodes { id } } }"
    monkeypatch.setattr(extension_module, "DEADLINES", {"PARTNER": 0.0005})
    for media in (GRAPHQL_JSON, "application/json"):
        answer = await api.sides["partner-app"].ask(query, headers={"Accept": media})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "TIMEOUT")
    chosen = query.replace("first: 1", "first: 1, categories: [ENTERPRISE]")
    told = {}
    for text in (query, chosen):
        (error,) = (await api.sides["partner-app"].ask(text)).json()["errors"]
        told[text] = (error["message"], bool(error["extensions"]["remedy"]))
    assert told == {query: (str(errors.TooSlow()), True), chosen: (extension_module.LOOKED_THROUGH, True)}
    assert "data" in (await api.sides["risk-desk"].ask(query)).json()
    monkeypatch.undo()
    for _ in range(12):
        assert "data" in (await api.sides["partner-app"].ask(query)).json()


async def test_a_token_that_is_none_and_a_client_with_stored_documents_only(api: Api) -> None:
    partner = api.sides["partner-app"]
    refused = await partner.ask("{ __typename }", headers={"Authorization": "Bearer x", "Accept": GRAPHQL_JSON})
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (401, "TOKEN_INVALID")
    for mode, code in (("ONLY", "DOCUMENT_REQUIRED"), ("OPEN", None)):
        async with api.runtime.database.work() as tx:
            await tx.execute(update(client).where(client.c.client_id == "partner-app").values(documents=mode))
        answer = (await partner.ask("{ __typename }")).json()
        assert [error["extensions"]["code"] for error in answer.get("errors", ())] == ([code] if code else [])


async def test_every_problem_says_what_to_do(api: Api) -> None:
    """By its class, where it was raised without words of its own; and every error that is shown."""
    without = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, tuple(BY_CLASS)) and not kind().remedy]
    assert without == []
    assert not type("Mute", (errors.HubError,), {"__doc__": "Mute."})().remedy, "control"
    refused = (await api.sides["partner-app"].ask("{ __typename }", headers={"Authorization": "Bearer x"})).json()
    assert refused["errors"][0]["extensions"]["remedy"]


async def test_every_error_that_is_shown_has_a_code() -> None:
    shown = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HubError) and issubclass(kind, _SHOWN)]
    assert len(shown) > 12
    for kind in shown:
        assert code_of(kind()) in CODES, kind
    assert (code_of(KeyReused()), code_of(PlatformBusy())) == ("INVALID_INPUT", "TRY_LATER")
    assert set(CODES) > ALWAYS
