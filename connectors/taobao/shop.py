"""The shop itself: ``taobao.shop.seller.get`` for what the vendor gives, then our extension for owner, scope, assortment, place and penalties.

Two calls, one after the other; the second page's records carry what both said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.taobao.gateway import PLATFORM, call, covered_of, money, result_of, text
from hub.connect import Context, Json, Page, Record, Request, Response, Unreadable, Window, windows
from hub.domain.enums import SourceKind
from hub.domain.facts import Shop, ShopPenalty, ShopScore
from hub.domain.identifiers import PersonalId

METHOD = "taobao.shop.seller.get"
EXTENSION = "taobao.zx.shop.profile.get"
FIELDS = "sid,title,created,shop_score"


@dataclass(frozen=True, slots=True)
class ShopProfile:
    name: str = "shop"
    source: SourceKind = SourceKind.SHOP
    facts: tuple[type, ...] = (Shop, ShopScore, ShopPenalty)
    window_days: int | None = 0
    look_back_days: int = 0

    def windows(self, context: Context, first: date, last: date) -> Sequence[Window]:
        return windows.whole(self.name, first, last)

    def request(self, context: Context, window: Window, cursor: Json | None) -> Request:
        return call(METHOD, fields=FIELDS) if cursor is None else call(EXTENSION, sid=cursor["sid"])

    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:
        if cursor is None:
            shop = result_of(context, response, "shop_seller_get_response").get("shop") or {}
            scores = {name: str(value) for name, value in (shop.get("shop_score") or {}).items()}
            return Page(next={**{name: str(shop.get(name, "")) for name in ("sid", "title", "created")}, "scores": scores})
        found = result_of(context, response, "zx_shop_profile_get_response")
        shop_record = {"kind": "shop", **cursor, **{name: value for name, value in found.items() if name != "penalties"}}
        penalties = [{"kind": "penalty", **row} for row in (found.get("penalties") or {}).get("penalty", [])]
        records = (shop_record, *penalties)
        return Page(records, total=len(records), covered=covered_of(found, window))

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        if record["kind"] == "penalty":
            yield _penalty(record)
            return
        yield _shop(record)
        yield _score(record)


def _shop(record: Record) -> Shop:
    place = record.get("ship_from") or {}
    return Shop(
        platform=PLATFORM,
        shop_number=text(record, "sid"),
        name=text(record, "title"),
        owner=PersonalId(text(record, "owner_cert_no")) if record.get("owner_cert_no") else None,
        opened_on=_day(record, "created"),
        category=str(record["category"]) if record.get("category") else None,
        scope=text(record, "scope"),
        ship_from_city=place.get("city"),
        ship_from_latitude=_degree(place, "lat"),
        ship_from_longitude=_degree(place, "lon"),
        skus_listed=record.get("skus_listed"),
        skus_sold=record.get("skus_sold"),
    )


def _score(record: Record) -> ShopScore:
    scores = record["scores"]
    return ShopScore(
        platform=PLATFORM,
        shop_number=text(record, "sid"),
        measured_on=_day(record, "measured_on"),
        description=money(scores, "item_score"),
        service=money(scores, "service_score"),
        logistics=money(scores, "delivery_score"),
    )


def _penalty(record: Record) -> ShopPenalty:
    kind = text(record, "type")
    if kind not in ("FAKE_TRADE", "IP", "QUALITY", "OTHER"):
        raise Unreadable("type", "not in the code table")
    points = record.get("points")
    return ShopPenalty(
        platform=PLATFORM,
        penalty_number=text(record, "penalty_id"),
        kind=kind,
        severity=record.get("severity"),
        decided_on=_day(record, "decided"),
        points=int(points) if points is not None else None,
    )


def _day(record: Record, name: str) -> date:
    try:
        return date.fromisoformat(text(record, name)[:10])
    except ValueError:
        raise Unreadable(name, "not a day") from None


def _degree(place: Mapping[str, Any], name: str) -> float | None:
    return float(place[name]) if place.get(name) is not None else None
