"""What the platform pushes, if it does: genuine ones are hints about the right customer, anything else is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from connectors.sandbox.push import Letter, Push
from hub.cli.certify.authorising import changed
from hub.cli.certify.session import Session
from hub.cli.certify.trial import require
from hub.connect import Delivery, Fault, Hint, NotGenuine, Webhook

LATE = timedelta(seconds=301)
PLACES = 64
"""How many bytes of a body are changed, one at a time, from its beginning to its end."""


@dataclass(frozen=True)
class Mail:
    """A webhook, its settings, and a push that is good."""

    webhook: Webhook
    config: Mapping[str, str]
    delivery: Delivery

    def hint(self, **change: object) -> Hint:
        return self.webhook.verify(self.config, replace(self.delivery, **change))  # type: ignore[arg-type]

    def takes(self, **change: object) -> bool:
        try:
            self.hint(**change)
        except NotGenuine:
            return False
        return True


async def pushes_are_hints(session: Session) -> str | None:
    """A genuine push names this customer's authorisation; repeated it is the same event, another one is another."""
    webhook, pushed = session.connector.webhook, session.trial.running.platform.pushed
    if webhook is None and pushed is None:
        return None
    require(webhook and pushed, "Connector and simulated platform do not agree whether there are pushes.")
    assert webhook is not None and pushed is not None
    customer = await session.trial.customer()
    require(webhook.is_on(session.trial.config), "The webhook is off although the platform pushes, or it verifies with no setting at all.")
    push = pushed(session.trial.persona)
    hint, again, other = (_mail(session, webhook, one).hint() for one in (push, push, pushed(session.trial.persona)))
    reference = webhook.reference(customer.context.grant) if customer.context.grant else ""
    require(reference and hint.reference == reference, "A push about this customer does not name what the grant is called by.")
    require(hint.event_id == again.event_id, "A push that is repeated is another event.")
    require(hint.event_id != other.event_id, "Two events have one id: the second would be taken for a repetition.")
    alien = set(hint.streams) - {stream.name for stream in session.connector.streams}
    require(not alien, f"A push names streams that are not there: {', '.join(sorted(alien))}.")
    _receipt(webhook, push)
    return f"A push names the authorisation, {', '.join(hint.streams) or 'every stream'}{' and days' if hint.days else ''}."


def _receipt(webhook: Webhook, push: Push) -> None:
    receipt = webhook.receipt
    require(push.is_received(receipt.status, receipt.body), "The platform does not take the receipt for one, and would repeat for ever.")
    require(not push.is_received(401, b""), "The platform takes a refusal for a receipt.")


async def forged_pushes_are_refused(session: Session) -> str | None:
    """One byte of the body, one character of a header or of the key changed, or another time: refused."""
    webhook, pushed = session.connector.webhook, session.trial.running.platform.pushed
    if webhook is None or pushed is None:
        return None
    await session.customer()
    push = pushed(session.trial.persona)
    mail = _mail(session, webhook, push)
    require(mail.takes(), "A genuine push is refused.")
    bodies = list(_bodies(mail.delivery.body))
    require(not any(mail.takes(body=body) for body in bodies), "A push with another byte in its body is taken.")
    names = _signed_headers(mail)
    _another_key_is_refused(mail)
    if push.timed:
        _another_time_is_refused(mail)
    timed = ", and 301 seconds away" if push.timed else "; the platform signs no time"
    covered = f" and of {', '.join(names)}" if names else ""
    return f"Refused with one of {len(bodies)} bytes changed{covered}, under another key{timed}."


def _mail(session: Session, webhook: Webhook, push: Push) -> Mail:
    letter = push.sign()
    return Mail(webhook, session.trial.config, Delivery(_lower(letter), letter.body, datetime.now(UTC)))


def _lower(letter: Letter) -> dict[str, str]:
    return {name.lower(): value for name, value in letter.headers.items()}


def _bodies(body: bytes) -> Iterator[bytes]:
    for at in sorted({len(body) * place // PLACES for place in range(PLACES)}):
        yield body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    yield b""


def _signed_headers(mail: Mail) -> list[str]:
    """The headers without which a push is refused. Each must be refused with another character in it, too."""
    headers = mail.delivery.headers
    needed = [name for name in headers if not mail.takes(headers={key: value for key, value in headers.items() if key != name})]
    for name in needed:
        require(not mail.takes(headers={**headers, name: changed(headers[name])}), f"A push with another {name} is taken.")
    return needed


def _another_key_is_refused(mail: Mail) -> None:
    for name in mail.webhook.needs:
        other = replace(mail, config={**mail.config, name: changed(mail.config[name])})
        try:
            taken = other.takes()
        except Fault:
            # A key with another byte is no key at all.
            taken = False
        require(not taken, f"A push is taken under another {name}.")
        require(not mail.webhook.is_on({**mail.config, name: ""}), f"The webhook is on without {name}: anybody can sign with an empty key.")


def _another_time_is_refused(mail: Mail) -> None:
    for now in (mail.delivery.now + LATE, mail.delivery.now - LATE):
        require(not mail.takes(now=now), "A push is taken although the time that was signed is 301 seconds away.")
