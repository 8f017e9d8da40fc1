"""What proves that it is the hub that asks: credentials that are sent, and that the platform notices when one byte differs.

What is a credential is found out, not configured: sign the same request with another secret or another grant, and see what changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from hub.cli.certify.authorising import changed, first_answer, name_of
from hub.cli.certify.session import Session
from hub.cli.certify.trial import Customer, require
from hub.connect import Context, Fault, Misconfigured, NotPermitted, Reauthorise, RefreshNeeded, Request, Stream, Window

REFUSALS = (Misconfigured, RefreshNeeded, Reauthorise)


@dataclass(frozen=True, slots=True)
class Part:
    """One named value of a request: of its query, its headers or its form. A body that is no form is one part."""

    place: str
    name: str
    value: str


def parts_of(request: Request) -> list[Part]:
    found = [Part("query", name, value) for name, value in request.query]
    found += [Part("header", name, value) for name, value in request.headers]
    if _is_form(request):
        return found + [Part("form", name, value) for name, value in parse_qsl(request.body.decode(), keep_blank_values=True)]
    return found + ([Part("body", "", request.body.decode("utf-8", "replace"))] if request.body else [])


def with_part(request: Request, part: Part, value: str) -> Request:
    """The request with another value in that part."""

    def swapped(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple((name, value if name == part.name else old) for name, old in pairs)

    if part.place == "query":
        return replace(request, query=swapped(request.query))
    if part.place == "header":
        return replace(request, headers=swapped(request.headers))
    if part.place == "form":
        return replace(request, body=urlencode(swapped(tuple(parse_qsl(request.body.decode(), keep_blank_values=True)))).encode())
    return replace(request, body=value.encode())


def _is_form(request: Request) -> bool:
    return any(name.lower() == "content-type" and value.startswith("application/x-www-form-urlencoded") for name, value in request.headers)


def credentials(session: Session, context: Context, request: Request) -> list[Part]:
    """The parts of the signed request that depend on a secret or on the grant."""
    signed, found = parts_of(session.connector.sign(context, request)), dict[Part, None]()
    for other in _others(session, context):
        try:
            again = {(part.place, part.name): part.value for part in parts_of(session.connector.sign(other, request))}
        except Misconfigured:
            # A private key with another byte is no key: that it matters is seen by the grant's token.
            continue
        found |= dict.fromkeys(part for part in signed if again.get((part.place, part.name)) != part.value)
    return list(found)


def _others(session: Session, context: Context) -> Iterator[Context]:
    """The same context with one secret or one member of the grant changed."""
    for setting in session.connector.manifest.settings:
        if setting.secret and context.config.get(setting.name):
            yield replace(context, config={**context.config, setting.name: changed(context.config[setting.name])})
    grant = context.grant
    if grant is not None:
        yield replace(context, grant=replace(grant, access_token=changed(grant.access_token)))
        for name, value in grant.extra.items():
            yield replace(context, grant=replace(grant, extra={**grant.extra, name: changed(value)}))


async def changed_credential_is_refused(session: Session) -> str:
    """Every credential of a call, one character changed: refused, no data."""
    first, customer = await first_answer(session), await session.customer()
    names = []
    for index in range(len(await _found(session, first.stream, first.window))):
        context = customer.context
        request = first.stream.request(context, first.window, None)
        part = credentials(session, context, request)[index]
        forged = with_part(session.connector.sign(context, request), part, changed(part.value))
        fault = await _outcome(customer, first.stream, first.window, context, forged)
        require(isinstance(fault, REFUSALS), f"A call with another {part.name} must be refused; {name_of(fault)}.")
        names.append(part.name)
    require(names, "Nothing in a call depends on a secret or on the grant: it is not signed.")
    return f"Refused with one character changed in {', '.join(names)}."


async def _found(session: Session, stream: Stream, window: Window) -> list[Part]:
    context = (await session.customer()).context
    return credentials(session, context, stream.request(context, window, None))


async def _outcome(customer: Customer, stream: Stream, window: Window, context: Context, request: Request) -> Fault | None:
    response = await customer.send(request)
    try:
        stream.read(context, window, None, response)
    except Fault as fault:
        return fault
    return None


async def signed_parameters_are_protected(session: Session) -> str | None:
    """Where a signature covers a parameter, that parameter with one character changed is refused."""
    customer = await session.customer()
    first = max((one for one in await session.examples() if one.cursor is None), key=lambda one: len(parts_of(one.request)))
    covered = []
    for part in parts_of(first.stream.request(customer.context, first.window, None)):
        context = customer.context
        request = first.stream.request(context, first.window, None)
        if not _is_covered(session, context, request, part):
            continue
        signed = session.connector.sign(context, request)
        sent = next(one for one in parts_of(signed) if one.name == part.name and one.value == part.value)
        fault = await _outcome(customer, first.stream, first.window, context, with_part(signed, sent, changed(part.value)))
        # A platform may look for the method before it looks at the signature.
        require(
            isinstance(fault, (*REFUSALS, NotPermitted)),
            f"A call whose {part.name} was changed after signing must be refused; {name_of(fault)}.",
        )
        covered.append(part.name)
    return f"Refused when changed after signing: {', '.join(covered)}." if covered else None


def _is_covered(session: Session, context: Context, request: Request, part: Part) -> bool:
    """Whether a credential depends on this part directly, not through something else that depends on it."""
    proof = {(one.place, one.name) for one in credentials(session, context, request)}
    before = {(one.place, one.name): one.value for one in parts_of(session.connector.sign(context, request))}
    after = {
        (one.place, one.name): one.value for one in parts_of(session.connector.sign(context, with_part(request, part, changed(part.value))))
    }
    moved = {key for key in before if before[key] != after.get(key)}
    other = {key for key in moved - proof if key[1] != part.name}
    return bool(moved & proof) and not other
