"""Customers whom nobody thought of: random personas in the format persona/1, the same for the same seed.

Each section is drawn from scratch and may contradict the others: returns for quarters, missed and amended; sales that are nothing, one month of them, or a hundred million;
red and void invoices; arrears; identities that were refused; staff that is paid for late or never; funds that are sealed; sources without their section, with gaps, stale,
withdrawn, run out or never consented to. What the scenario asks for is mostly there, so that not every gate is closed.
"""

from __future__ import annotations

from datetime import date

from hub.credit.policy import load_policy
from tests.connectors.cn_persona import resident, uscc
from tests.personas.strange_sections import CITIES, LENDER, PARTIES, SECTIONS, Document, Stranger, place_of

KINDS = (
    "REGISTRATION", "TAX", "FINANCIALS", "INVOICE", "SHOP", "SETTLEMENT", "PAYMENT", "SOCIAL_INSURANCE", "HOUSING_FUND", "BUREAU", "IDENTITY", "DEVICE",
    "PUBLIC_RECORD", "PROCUREMENT", "FARM",
)  # fmt: skip
INDUSTRIES = ("F5292", "C3311", "H6210", "A0111", "C4021", "O8040", "F5137", "K7010", "L7211", "T9700", "E4710")


def stranger(seed: int) -> Document:
    one = Stranger(seed)
    person = one.scenario in ("S05", "S07") or (one.scenario == "S12" and one.maybe(0.5))
    found: Document = {
        "format": "persona/1", "id": f"stranger-{seed}", "title": f"The stranger of seed {seed}", "scenario": one.scenario, "as_of": str(one.day),
        "known_at": f"{one.day}T10:00:00+08:00", "reference": _reference(one), "people": {"owner": _person(one)},
        **({"subject_person": "owner"} if person else {"business": _business(one)}),
        "request": _request(one),
    }  # fmt: skip
    sections = {name: make(one) for name, make in SECTIONS.items() if not (person and name in ("invoices", "financials"))}
    found |= {name: section for name, section in sections.items() if one.maybe(0.98)}
    if "invoices" in found and one.maybe(0.6):
        found["relations"] = {"related": [{"party": "f", "type": "SHAREHOLDING", "share": "0.30"}][: one.dice.randint(0, 1)]}
    return found | {"sources": _sources(one)}


def _sources(one: Stranger) -> Document:
    policy = load_policy(one.scenario)
    asked = {str(kind) for need in policy.sources for kind in (need.kind, *need.alternatives)}
    sound = one.maybe(0.8)
    return {kind: _source(one, sound=sound and kind in asked) for kind in KINDS if one.maybe(0.98 if kind in asked else 0.45)}


def _source(one: Stranger, *, sound: bool) -> Document:
    found: Document = {"from": one.month(one.dice.choice([60, 24, 24, 24] if sound else [60, 24, 14, 12, 5, 0]))}
    if sound:
        return found
    consent = one.dice.choice(["ACTIVE"] * 6 + ["NEVER", "REVOKED", "EXPIRED"])
    if consent != "ACTIVE":
        found |= {"consent": consent, "consent_changed_on": one.some_day(20, 1)}
    if one.maybe(0.2):
        found["until"] = one.some_day(400, 1)
    if one.maybe(0.2):
        found["gaps"] = sorted({one.month(one.dice.randint(1, 24)) for _ in range(one.dice.randint(1, 4))})
    return found


def _reference(one: Stranger) -> Document:
    found: Document = {
        "lender": LENDER,
        "margin_bands": {"F52": ["0.20", "0.50"], "C": ["0.10", "0.60"]},
        "core_enterprises": [PARTIES["a"]["uscc"]],
        "approved_buyers": [PARTIES["a"]["uscc"], PARTIES["b"]["uscc"]],
        "prohibited_industries": ["K70"],
    }
    if one.maybe(0.8):
        found["crops"] = {"水稻": {"yield_norm": "480", "price": "2.6", "input_cost": "600"}}
    if one.maybe(0.5):
        found["social_insurance_base"] = {"floor": "4500.00", "ceiling": "24000.00"}
    return found


def _request(one: Stranger) -> Document:
    amount = {} if one.maybe(0.5) else {"amount": f"{one.dice.choice([0, 5_000, 100_000, 5_000_000])}.00"}
    return {"purpose": "CONSUMPTION" if one.maybe(0.2) else "OPERATING", **amount}


def _person(one: Stranger) -> Document:
    born = date(one.dice.choice([1950, 1975, 1985, 1990, 2007]), one.dice.randint(1, 12), one.dice.randint(1, 28))
    found: Document = {
        "name": "程望舒", "resident_id": resident(f"339998{born:%Y%m%d}003"), "residence_city": CITIES[0], "hukou_city": one.dice.choice(CITIES),
        "hukou_since": one.some_day(5_000),
    }  # fmt: skip
    if one.maybe(0.7):
        found["home"] = place_of(one)
    if one.maybe(0.5):
        found["education"] = {"level": one.dice.choice(["HIGH", "BACHELOR", "DOCTOR"]), "verified": one.maybe(0.8)}
    return found


def _business(one: Stranger) -> Document:
    kind = "91" if one.scenario == "S10" or one.maybe(0.5) else "92"
    kinds = ("HIGH_TECH", "TECH_SME", "LITTLE_GIANT", "PATENT", "STARTUP_GRADUATE", "SPECIALIZED_PROV")
    found = {
        "uscc": uscc(f"{kind}330203MA2DEMKX5"), "name": "宁波望舒五金厂", "industry": one.dice.choice(INDUSTRIES),
        "status": "ACTIVE" if one.maybe(0.95) else "ABNORMAL", "established_on": one.some_day(one.dice.choice([4_000, 4_000, 900])), "responsible": "owner",
        "registered_to": "owner", "registered_at": place_of(one), "qualifications": list(one.dice.sample(kinds, one.dice.randint(0, 4))),
    }  # fmt: skip
    return found | ({"responsible_since": one.some_day()} if one.maybe(0.3) else {})
