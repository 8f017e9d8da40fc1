"""What the simulated feed knows of a persona, as rows in its own words: areas in 厘, yields in kg per hectare, the longitude first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.cn_farm.vocabulary import AREAS, YIELDS
from connectors.sandbox import expand_farm
from connectors.sandbox.persona import Persona

Row = Mapping[str, Any]

AREA_UNIT, YIELD_UNIT = "厘", "公斤/公顷"


def parcels(persona: Persona) -> list[Row]:
    return [
        {
            "DKBM": one.id,
            "zzj": one.season,
            "zwmc": one.crop,
            "sbmj": _area(one.claimed_mu),
            "ygmj": _area(one.satellite_mu),
            "QQMJ": _area(one.register_mu),
            "cbmj": _area(one.insured_mu),
            "yjcl": _text(one.claimed_yield * YIELDS[YIELD_UNIT]),
            "zxd": f"POINT({_text(Decimal(repr(one.lon)))} {_text(Decimal(repr(one.lat)))})",
        }
        for one in expand_farm.plots(persona)
    ]


def holdings(persona: Persona) -> list[Row]:
    found = expand_farm.holding(persona)
    if found is None:
        return []
    farm = found.farm
    return [
        {
            "CBFBM": f"{int(hashlib.sha256(persona.id.encode()).hexdigest()[:14], 16) % 10**18:018d}",
            "CBFZJHM": found.register_holder,
            "bbxrzjhm": found.policy_holder,
            "hyjs": farm.verified_seasons,
            "sfcb": _said(farm.insured),
            "sfdd": _said(farm.purchase_contract),
            "sfxyc": _said(farm.credit_village),
            "shrq": f"{farm.harvest_on:%Y/%m/%d}",
        }
    ]


def _area(mu: Decimal | None) -> str | None:
    return None if mu is None else _text(mu / AREAS[AREA_UNIT])


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _said(yes: bool) -> str:
    return "是" if yes else "否"
