"""The shop itself: ``taobao.shop.seller.get`` for what the vendor gives, then our extension for owner, scope, assortment, place and penalties.

Two calls, one after the other: each fact's record is on the page that says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from connectors.taobao.fields import day, degrees, maybe_count, optional, personal, score, text, word
from connectors.taobao.gateway import PLATFORM, call, covered_of, result_of, rows_of
from hub.connect import Context, ContractBroken, Json, NoData, Page, Record, Request, Response, Window, windows
from hub.domain.enums import SourceKind
from hub.domain.facts import Shop, ShopPenalty, ShopScore

METHOD = "taobao.shop.seller.get"
EXTENSION = "taobao.zx.shop.profile.get"
FIELDS = "sid,title,created,shop_score"
SCOPES = {"FULL": "FULL", "PARTIAL": "PARTIAL"}
PENALTIES = {name: name for name in ("FAKE_TRADE", "IP", "QUALITY", "OTHER")}


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
            return self._read_shop(context, window, response)
        found = result_of(context, response, "zx_shop_profile_get_response")
        profile = {name: value for name, value in found.items() if name not in ("penalties", "zx_days", "request_id")}
        penalties = [{**row, "kind": "penalty"} for row in rows_of(found, "penalties", "penalty")]
        total = found.get("total_results")
        if not isinstance(total, int):
            raise ContractBroken("a list without total_results")
        return Page(({**profile, **cursor, "kind": "shop"}, *penalties), total=2 + total, covered=covered_of(found, window))

    def _read_shop(self, context: Context, window: Window, response: Response) -> Page:
        """The score is a record of this page; number, title and opening, which everybody may see, travel on in the cursor."""
        shop = result_of(context, response, "shop_seller_get_response").get("shop")
        if not isinstance(shop, Mapping):
            raise NoData("the customer has no shop", covered=False)
        scores = shop.get("shop_score") if isinstance(shop.get("shop_score"), Mapping) else {}
        record = {**(scores or {}), "kind": "score", "sid": shop.get("sid"), "measured_on": window.last.isoformat()}
        return Page((record,), next={name: str(shop.get(name) or "") for name in ("sid", "title", "created")})

    def normalise(self, context: Context, record: Record) -> Iterable[Any]:
        yield _FACTS[record["kind"]](record)


def _shop(record: Record) -> Shop:
    place = record.get("ship_from")
    place = place if isinstance(place, Mapping) else {}
    return Shop(
        platform=PLATFORM,
        shop_number=text(record, "sid"),
        name=text(record, "title"),
        owner=personal(record, "owner_cert_no"),
        opened_on=day(record, "created"),
        category=optional(record, "category"),
        scope=word(record, "scope", SCOPES),
        ship_from_city=optional(place, "city"),
        ship_from_latitude=degrees(place, "lat"),
        ship_from_longitude=degrees(place, "lon"),
        skus_listed=maybe_count(record, "skus_listed"),
        skus_sold=maybe_count(record, "skus_sold"),
    )


def _score(record: Record) -> ShopScore:
    return ShopScore(
        platform=PLATFORM,
        shop_number=text(record, "sid"),
        measured_on=day(record, "measured_on"),
        description=score(record, "item_score"),
        service=score(record, "service_score"),
        logistics=score(record, "delivery_score"),
    )


def _penalty(record: Record) -> ShopPenalty:
    return ShopPenalty(
        platform=PLATFORM,
        penalty_number=text(record, "penalty_id"),
        kind=word(record, "type", PENALTIES),
        severity=optional(record, "severity"),
        decided_on=day(record, "decided"),
        points=maybe_count(record, "points"),
    )


_FACTS: Mapping[str, Callable[[Record], Any]] = {"shop": _shop, "score": _score, "penalty": _penalty}
