"""What every statement may refer to beside its arguments: who asks, for whom and what, and what time it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from hub.domain.caller import Caller
from hub.domain.periods import china_day

NOW = "%(now)s::timestamptz"
TODAY = "%(today)s::date"
PURPOSE = "%(purpose)s::text"
GRANTEE = "%(grantee)s::text"
INTERNAL = "%(internal)s::boolean"
APP = "%(app)s::text"
"""The partner app that asks; null: the institution itself."""
SCOPES = "%(scopes)s::text[]"
STALE_DAYS = "%(stale_days)s::jsonb"
QUOTAS = "%(quotas)s::jsonb"


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """What the deployment fixes: the grantee consents are given to, and after how many days a source's data are stale (absent: never).

    ``quotas`` says by connector what its platform allows: ``in_flight``, ``per_minute``, ``per_day`` (calls).
    """

    grantee: str
    stale_days: Mapping[str, int] = field(default_factory=dict)
    quotas: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    told: Mapping[str, str] = field(init=False, repr=False, compare=False)
    """As values that are bound."""

    def __post_init__(self) -> None:
        quotas = {name: dict(quota) for name, quota in self.quotas.items()}
        told = {
            "grantee": self.grantee,
            "stale_days": orjson.dumps(dict(self.stale_days)).decode(),
            "quotas": orjson.dumps(quotas).decode(),
        }
        object.__setattr__(self, "told", told)


def environment(caller: Caller, settings: ViewSettings, now: datetime) -> dict[str, Any]:
    """The bound values of the names above. ``now`` is business time."""
    return {
        "now": now,
        "today": china_day(now),
        "purpose": caller.purpose,
        "internal": caller.sees_internals,
        "app": caller.app,
        "scopes": sorted(caller.scopes),
        **settings.told,
    }
