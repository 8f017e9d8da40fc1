"""A partner's app written with a certified client library (npm ``openid-client``): every flow goes through, everything wrong is refused (trust rules, T1)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connectors.sandbox.serve import bind
from hub.access import server
from hub.access.assertions import check_assertion
from hub.access.jose import peek
from hub.store.database import Database
from tests import npm
from tests.databases import Databases
from tests.hub.access.side import Api, open_api
from tests.hub.sync.server import Brief

HERE = Path(__file__).parent / "partner"
QUERY = "{ customers { nodes { nameMasked } } }"
PATIENCE = 60
CODES = {
    "assertion": (401, "invalid_client"),
    # The library reads the challenge, which names the scheme that was tried, and not the body.
    "a secret in the header": (401, "OAUTH_WWW_AUTHENTICATE_CHALLENGE"),
    "a secret": (401, "invalid_client"),
    "another resource": (400, "invalid_target"),
    "a scope": (400, "invalid_scope"),
    "another grant": (400, "unsupported_grant_type"),
    "no proof": (400, "invalid_dpop_proof"),
    "proof for another endpoint": (400, "invalid_dpop_proof"),
    "proof of yesterday": (400, "invalid_dpop_proof"),
    "bound token as Bearer": (401, "invalid_token"),
    "token with": (401, "invalid_dpop_proof"),
    "proof used twice": (401, "invalid_dpop_proof"),
}
"""What a refusal is called, by how the variant's name begins."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def library() -> Path:
    return npm.locked(HERE, "openid-client", "the flows of a certified client")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(library: Path, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A hub that listens on loopback."""
    listener = bind("127.0.0.1", 0)
    origin = "http://{}:{}".format(*listener.getsockname()[:2])
    with databases.one() as urls:
        database = Database(urls)
        async with open_api(database, tmp_path_factory.mktemp("home"), origin=origin) as opened:
            listening = Brief(opened.app, listener)
            await listening.start()
            yield opened
            await listening.stop()
        await database.close()


async def partner(api: Api, library: Path, only: Sequence[str] | None = None) -> dict[str, Any]:
    side = api.sides["partner-app"].client
    asked = {"issuer": side.origin, "client": side.client_id, "key": dict(side.key), "query": QUERY, "only": only}
    process = await asyncio.create_subprocess_exec(
        "node", str(HERE / "partner.mjs"), str(library),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        said, failed = await process.communicate(json.dumps(asked).encode())
    assert process.returncode == 0, failed.decode()
    found: dict[str, Any] = json.loads(said)
    return found


async def test_every_flow_and_every_refusal(api: Api, library: Path) -> None:
    found = await partner(api, library)
    _flow(api, found["flow"])
    refused = found["refused"]
    expected = {name: next(code for begins, code in CODES.items() if name.startswith(begins)) for name in refused}
    assert {name: (one["status"], one["error"]) for name, one in refused.items()} == expected
    assert len(refused) >= 12
    print(f"\nopenid-client: discovery, token, question, introspection, revocation; {len(refused)} wrong variants, {len(refused)} refused")


def _flow(api: Api, flow: dict[str, Any]) -> None:
    origin = api.sides["partner-app"].client.origin
    assert (flow["metadata"]["issuer"], flow["metadata"]["jwks_uri"]) == (origin, f"{origin}/oauth/jwks")
    token = flow["token"]
    assert (token["token_type"].lower(), token["expires_in"], token["scope"]) == ("dpop", 600, "customers:read purpose:CREDIT_APPROVAL")
    assert flow["login_calls"] == [["/oauth/token", 400], ["/oauth/token", 200]], "the first proof is asked for the nonce"
    assert flow["asked_calls"] == [["/graphql", 401], ["/graphql", 200]], "and so is the first one at the resource"
    assert flow["answer"] == {"data": {"customers": {"nodes": [{"nameMasked": "青*"}]}}}
    before, after = flow["before"], flow["after"]
    assert (before["active"], before["client_id"], before["aud"], before["iss"]) == (True, "partner-app", f"{origin}/graphql", origin)
    assert after == {"active": False}
    assert flow["again"] == {"status": 401, "error": "invalid_token"}, "refused with the next request"


async def test_control_a_server_that_accepts_any_audience_is_noticed(api: Api, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check of ``aud`` the variants about it get their token, and no others."""
    monkeypatch.setattr(server, "check_assertion", lambda text, client, issuer, now: check_assertion(text, client, peek(text)["aud"], now))
    variants = ["assertion for another audience", "assertion for the token endpoint", "assertion for a list of audiences"]
    found = (await partner(api, library, [*variants, "assertion of another issuer"]))["refused"]
    assert {name for name, one in found.items() if one.get("accepted")} == set(variants)
