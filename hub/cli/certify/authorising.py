"""How a customer lets the hub in: agreeing, refusing, forged callbacks, wrong secrets, refresh and revocation."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

from hub.cli.certify.reading import Exchange
from hub.cli.certify.session import Session
from hub.cli.certify.trial import Customer, Failed, require
from hub.connect import ContractBroken, Fault, Grant, Misconfigured, NoData, Pending, Reauthorise, RefreshNeeded, RetryAt
from hub.domain.enums import SourceKind

T = TypeVar("T")

HUB_OR_CUSTOMER = (Misconfigured, Reauthorise)


def changed(text: str) -> str:
    """The text with one character changed, in its middle: the last ones of base64 may carry no bit."""
    at = len(text) // 2
    other = "B" if text[at : at + 1] == "A" else "A"
    return text[:at] + other + text[at + 1 :]


async def fault_of(asked: Awaitable[T]) -> Fault | None:
    """The fault something ended with; None when it did not."""
    try:
        await asked
    except Fault as fault:
        return fault
    return None


def name_of(fault: Fault | None) -> str:
    return "it was accepted" if fault is None else f"it was {type(fault).__name__} ({fault.reason})"


async def customer_agrees(session: Session) -> str:
    """The state comes back as it was sent, and the grant is whole."""
    one = Customer(session.trial)
    callback = await one.visit()
    require(callback.get("state") == one.state, "The platform does not give the state back as it was sent.")
    grant = await one.complete(callback)
    require(grant.access_token, "The grant has no access token.")
    known = {kind.value for kind in SourceKind}
    require(set(grant.scopes) <= known, f"The grant's scopes are not kinds of sources: {', '.join(sorted(set(grant.scopes) - known))}.")
    lives = [life for life in (grant.expires_in, grant.refresh_expires_in) if life is not None]
    require(all(life > 0 for life in lives), "The grant has ended before it begins.")
    require(all(isinstance(value, str) for value in grant.extra.values()), "What else the grant keeps is not text.")
    return f"Authorised in a browser; the token lives {grant.expires_in or 'without end'}{' s' if grant.expires_in else ''}."


async def customer_refuses(session: Session) -> str:
    one = Customer(session.trial)
    fault = await fault_of(one.complete(await one.visit("refuse")))
    require(isinstance(fault, Reauthorise), f"A refusal must be Reauthorise; {name_of(fault)}.")
    return "A customer who refuses is told apart from a failure."


async def forged_callback_is_refused(session: Session) -> str:
    """What differs between two callbacks is what lets in: each of it changed, and nothing of it sent at all."""
    one, other = Customer(session.trial), Customer(session.trial)
    callback, second = await one.visit(), await other.visit()
    credentials = [name for name in callback if name != "state" and callback[name] != second.get(name)]
    require(credentials, "Two callbacks are alike: nothing in them stands for this authorisation.")
    for name in credentials:
        fault = await fault_of(one.complete({**callback, name: changed(callback[name])}))
        require(fault, f"A callback with another {name} was accepted.")
    missing = await fault_of(one.complete({"state": one.state}))
    require(
        isinstance(missing, ContractBroken | Reauthorise), f"A callback without anything must be a broken contract; {name_of(missing)}."
    )
    return f"Refused with another {' or '.join(credentials)}, and with nothing."


async def code_works_once(session: Session) -> str | None:
    one = Customer(session.trial)
    callback = await one.visit()
    if not any(name.endswith("code") for name in callback):
        return None
    await one.complete(callback)
    fault = await fault_of(one.complete(callback))
    require(isinstance(fault, Reauthorise), f"A code that was used must be Reauthorise; {name_of(fault)}.")
    return "The same code is refused the second time."


async def pkce_is_used(session: Session) -> str | None:
    one = Customer(session.trial)
    url = await one.begin()
    query = parse_qs(urlsplit(url).query)
    if "code_challenge" not in query:
        require(not session.connector.manifest.pkce or "response_type" not in query, "The manifest says PKCE, but no challenge is sent.")
        return None
    require(session.connector.manifest.pkce, "A challenge is sent, but the manifest does not say PKCE.")
    require(query.get("code_challenge_method") == ["S256"], "The challenge is not S256.")
    require(one.verifier not in url, "The verifier itself is in the URL.")
    callback = await one.visit(url=url)
    fault = await fault_of(one.complete(callback, verifier=changed(one.verifier)))
    require(isinstance(fault, Reauthorise), f"Another verifier must be Reauthorise; {name_of(fault)}.")
    return "S256; a code with another verifier is refused."


async def wrong_secret_is_refused(session: Session) -> str:
    """Every secret with one character changed: an operator or the customer is told, and no data comes."""
    secrets = {
        one.name: changed(session.trial.config[one.name])
        for one in session.connector.manifest.settings
        if one.secret and session.trial.config.get(one.name)
    }
    require(secrets, "No setting is marked secret.")
    fault = await fault_of(_whole_way(Customer(session.trial, **secrets)))
    require(isinstance(fault, HUB_OR_CUSTOMER), f"With a wrong secret it must be Misconfigured or Reauthorise; {name_of(fault)}.")
    return f"{type(fault).__name__} with another {', '.join(secrets)}."


async def _whole_way(one: Customer) -> None:
    """From the browser to the first page; a refresh in between if the platform asks for it."""
    one.grant = await one.complete(await one.visit())
    stream, window = one.latest_windows()[0]
    try:
        await one.page(stream, window)
    except RefreshNeeded:
        one.grant = await one.refresh()
        await one.page(stream, window)


async def first_answer(session: Session) -> Exchange:
    """The first exchange that brought a page."""
    for exchange in (await session.reading()).exchanges:
        if exchange.page is not None:
            return exchange
    raise Failed("No stream was answered with a page.")


async def expired_token_is_refreshed(session: Session) -> str:
    """A token that is no longer good asks for a refresh, and what the refresh gives is good."""
    one, first = await session.trial.customer(), await first_answer(session)
    grant = one.grant
    assert grant is not None
    for material, stale in stale_grants(session, one, grant).items():
        one.grant = stale
        fault = await fault_of(one.page(first.stream, first.window))
        require(isinstance(fault, RefreshNeeded), f"A call with another {material} must ask for a refresh; {name_of(fault)}.")
    one.grant = grant
    one.grant = await one.refresh()
    require(one.grant != grant, "The refresh gave the same grant again.")
    require(one.grant.account == grant.account, "After the refresh it is another account.")
    fault = await fault_of(one.page(first.stream, first.window))
    require(fault is None or isinstance(fault, Pending | RetryAt | NoData), f"After the refresh a call must be answered; {name_of(fault)}.")
    return "RefreshNeeded, and the refreshed grant is answered."


def stale_grants(session: Session, one: Customer, grant: Grant) -> Mapping[str, Grant]:
    """The grant with one character changed in what a signature is made of."""
    stream, window = one.latest_windows()[0]
    context = one.context
    request = stream.request(context, window, None)
    signed = session.connector.sign(context, request)
    altered = {"access token": replace(grant, access_token=changed(grant.access_token))}
    altered |= {name: replace(grant, extra={**grant.extra, name: changed(value)}) for name, value in grant.extra.items() if value}
    found = {name: one for name, one in altered.items() if session.connector.sign(replace(context, grant=one), request) != signed}
    require(found, "A signed request does not depend on the grant.")
    return found


async def revocation_ends_it(session: Session) -> str:
    """Where the platform has such a call, nothing works after it; elsewhere the dialogue asks nothing."""
    one, first = await session.trial.customer(), await first_answer(session)
    if next(session.connector.authorisation.revoke(one.context), None) is None:
        return "The platform has no such call; the connector asks nothing."
    await one.talk(session.connector.authorisation.revoke(one.context))
    fault = await fault_of(one.page(first.stream, first.window))
    if isinstance(fault, RefreshNeeded):
        fault = await fault_of(one.refresh())
    require(isinstance(fault, Reauthorise), f"After a revocation it must be Reauthorise; {name_of(fault)}.")
    return "After it the platform answers nothing more."
