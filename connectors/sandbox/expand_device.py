"""Device and behaviour sessions of a persona (rule E18), as a partner app sends them through the hub's API."""

from __future__ import annotations

from datetime import date, timedelta

from connectors.sandbox.expand import Reach, at
from connectors.sandbox.persona import Persona
from hub.domain.enums import SourceKind


def device_sessions(persona: Persona) -> tuple[date, date, list[dict[str, object]]]:
    """First and last complete day, and the sessions in the input form of ``recordBehaviourSessions``.

    Session i of n: on the day ``as_of`` - (1 + floor(i·90/n)) at 20:00, from device ``d<i mod devices>``.
    """
    reach, device = Reach(persona, SourceKind.DEVICE), persona.device
    cities = [row.city for row in device.sessions for _ in range(row.count)] if device else []
    found: list[dict[str, object]] = []
    for index, city in enumerate(cities):
        moment = at(persona.as_of - timedelta(days=1 + index * 90 // len(cities)), 20)
        if device and reach.covers(moment.date()) and reach.exists(moment):
            session = {"sessionNumber": f"s{index:05d}", "at": moment.isoformat(), "device": f"d{index % device.devices}", "city": city}
            found.append({**session, "formSeconds": 240, "pasteRatio": "0.1"})
    return reach.first, reach.until, found
