"""Only what an operator has written down may be called: not what a manifest adds, nor another connector's platform (trust rules, section d)."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey
from starlette.responses import RedirectResponse
from starlette.types import Receive, Scope, Send

from connectors import registry
from hub.cli.runtime import open_runtime
from hub.connect import Connector, Context, OAuth, Request, Response, Setting
from hub.connect.code_grant import CodeGrant
from hub.domain.enums import SourceKind
from hub.errors import ContractBroken, FixConfiguration
from hub.http import Allowed, HostNotAllowed, Http
from hub.settings import Settings
from hub.store.embedded import Urls
from hub.sync import approved
from hub.sync.approved import is_approved, require_approved
from hub.sync.calls import Calls
from hub.sync.context import defaulted
from hub.sync.desk import Unmetered
from hub.sync.linking import Linking
from tests.hub.sync.platform import connector
from tests.hub.sync.server import Brief
from tests.hub.sync.test_code_grant import CONTEXT
from tests.hub.sync.world import World
from tests.hub.test_http import Echo, listening

WRITTEN = {"base_url": "https://api.bank.example/v1"}


def declaring(oauth: OAuth, *settings: Setting) -> Connector:
    one = connector()
    return replace(one, manifest=replace(one.manifest, oauth=oauth, settings=(*one.manifest.settings, *settings)))


def starts(one: Connector, written: dict[str, str]) -> None:
    require_approved(one, written, defaulted(one, written))


APART = Setting("login_url", "where to log in", default="https://login.bank.example")
OUTSIDE = [
    declaring(OAuth(host="login_url"), APART),
    declaring(OAuth(), APART),
    declaring(OAuth(), Setting("authorise_url", "the page", default="https://www.bank.example")),
    declaring(OAuth(token_path="@evil.example/token")),
    declaring(OAuth(token_path=".evil.example/token")),
    declaring(OAuth(token_path="/../token")),
    declaring(OAuth(token_path="/%2e%2e/token")),
    declaring(OAuth(authorise_path="/../authorize")),
    declaring(OAuth(revoke_path="//../../revoke")),
    declaring(OAuth(pushed_path="\\..\\par")),
    declaring(OAuth(authorise_path=":8443/authorize")),
]


@pytest.mark.parametrize("one", OUTSIDE, ids=range(len(OUTSIDE)))
def test_a_manifest_cannot_widen_the_list(one: Connector) -> None:
    with pytest.raises(FixConfiguration, match="is not below an address"):
        starts(one, WRITTEN)


def test_what_an_operator_writes_is_approved() -> None:
    starts(declaring(OAuth()), WRITTEN)
    starts(declaring(OAuth(host="login_url"), APART), {**WRITTEN, "login_url": "https://login.bank.example"})
    starts(declaring(OAuth(host="login_url"), APART), {**WRITTEN, "login_url": "base_url"})


def test_control_with_the_manifests_own_addresses_on_the_list_each_would_be_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was: the list was made of the settings with the manifest's defaults."""
    one = OUTSIDE[0]
    require_approved(one, defaulted(one, WRITTEN), defaulted(one, WRITTEN))
    monkeypatch.setattr(approved, "is_approved", lambda config, url: True)
    for other in OUTSIDE:
        starts(other, WRITTEN)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://api.bank.example/v1", True),
        ("https://api.bank.example/v1/authorize?x=1", True),
        ("https://api.bank.example/v2/authorize", False),
        ("https://api.bank.example:8443/v1/authorize", False),
        ("http://api.bank.example/v1/authorize", False),
        ("https://api.bank.example.evil.example/v1/authorize", False),
        ("https://api.bank.example@evil.example/v1/authorize", False),
        ("https://api.bank.example/v1/../authorize", False),
        ("//evil.example/v1", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_scheme_host_port_and_prefix(url: str, good: bool) -> None:
    assert is_approved(WRITTEN, url) is good


def test_a_server_that_no_setting_names_is_refused() -> None:
    with pytest.raises(FixConfiguration, match="no setting says where 'login_url' is"):
        starts(declaring(OAuth(host="login_url")), WRITTEN)


@pytest.mark.parametrize(
    ("key", "good"), [("", False), ("secret", False), (json.dumps(ECKey.generate_key("P-256").as_dict(private=True)), True)]
)
def test_a_key_that_cannot_sign_is_found_at_the_start(key: str, good: bool) -> None:
    one, written = declaring(OAuth(client="private_key_jwt")), {**WRITTEN, "client_key": key}
    if good:
        starts(one, written)
        return
    with pytest.raises(FixConfiguration, match="client_key holds no key"):
        starts(one, written)


@pytest.mark.parametrize("name", registry.NAMES)
def test_every_connector_starts_with_the_addresses_that_are_written_down(name: str) -> None:
    one = registry.load(name)
    written = {**WRITTEN, **{key.name: "base_url" for key in one.manifest.settings if key.name.endswith("_url") and key.default}}
    starts(one, written)


async def test_a_hub_does_not_start_with_an_address_that_nobody_approved(urls: Urls, tmp_path: Path) -> None:
    config = {"base_url": "https://eco.taobao.com", "app_key": "k", "app_secret": "s"}
    with pytest.raises(FixConfiguration, match="oauth_url"):
        async with open_runtime(Settings(home=tmp_path), urls, configs={"taobao": config}):
            pass
    async with open_runtime(Settings(home=tmp_path), urls, configs={"taobao": {**config, "oauth_url": "https://oauth.taobao.com"}}):
        pass


async def test_a_connector_does_not_call_anothers_platform() -> None:
    heard = Echo()
    async with listening(heard) as origin, listening(Echo()) as own:
        http, both = Http({"other": [origin], "scripted": [own]}), Http([origin, own])
        with pytest.raises(HostNotAllowed):
            await Calls(http, Unmetered()).send(connector(), {"base_url": origin}, Request("GET", "/refunds"))
        assert heard.heard == []
        assert (await Calls(http, Unmetered()).send(connector(), {"base_url": own}, Request("GET", "/refunds"))).status == 200
        assert (await Calls(both, Unmetered()).send(connector(), {"base_url": origin}, Request("GET", "/refunds"))).status == 200
        assert len(heard.heard) == 1, "control: on a list that all share it would be called"
        await http.close()
        await both.close()


@dataclass(frozen=True)
class Elsewhere(CodeGrant):
    """Whatever the platform or the connector's author wants the browser to see."""

    page: str = ""

    def begin(self, context: Context, *, redirect_uri: str, state: str, verifier: str, text_hash: str) -> Generator[Request, Response, str]:
        yield from ()
        return self.page


@pytest.mark.parametrize(
    "page", ["https://evil.example/authorize", "{origin}.evil.example/", "{origin}@evil.example/", "javascript:alert(1)", ""]
)
async def test_no_browser_is_sent_to_a_page_that_nobody_approved(world: World, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = (world.customer_id, world.connection_id, "https://hub.example/back", "state", "v" * 43, "0" * 64)
    target = page.replace("{origin}", world.server.origin)
    one = replace(connector(), authorisation=Elsewhere(lambda context: (), {"x": SourceKind.SHOP}, page=target))
    linking = Linking(world.with_connector(one).equipment, world.calls)
    with pytest.raises(HostNotAllowed):
        await linking.begin(*asked)
    monkeypatch.setattr("hub.sync.linking.is_approved", lambda config, url: True)
    assert await linking.begin(*asked) == target, "control"


async def test_a_redirect_takes_no_secret_along() -> None:
    """A token endpoint that answers 307 would have the form, code and secret and all, repeated elsewhere."""
    thief, told = Echo(b'{"access_token": "t", "token_type": "Bearer"}'), []

    async def moved(scope: Scope, receive: Receive, send: Send) -> None:
        told.append(scope["path"])
        await RedirectResponse(f"{elsewhere}/oauth2/token", 307)(scope, receive, send)

    server = Brief(moved)
    await server.start()
    async with listening(thief) as elsewhere:
        http = Http([server.origin, elsewhere])
        calls, one = Calls(http, Unmetered()), connector()
        config = defaulted(one, {"base_url": server.origin})
        context = replace(CONTEXT, config=config)
        dialogue = one.authorisation.complete(context, redirect_uri="https://hub.example/back", verifier="v" * 43, callback={"code": "c"})
        with pytest.raises(ContractBroken):
            await calls.converse(one, context, dialogue)
        assert (told, thief.heard) == (["/oauth2/token"], [])
        async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as careless:
            await careless.post(f"{server.origin}/oauth2/token", data={"code": "c"}, headers={"Authorization": "Basic x"})
        assert [path for path, _ in thief.heard] == ["/oauth2/token"], "control: a client that follows takes the code along"
        await http.close()
    await server.stop()


def test_plain_http_is_for_loopback_only() -> None:
    with pytest.raises(HostNotAllowed):
        Allowed.of("http://api.bank.example/v1")
    with pytest.raises(FixConfiguration):
        starts(connector(), {"base_url": "http://api.bank.example/v1"})
