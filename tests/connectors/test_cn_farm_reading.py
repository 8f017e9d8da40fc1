"""cn_farm's pure functions: the table of errors, frames, units, points. No feed involved."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.cn_farm import connector
from connectors.cn_farm.normalise import holding, parcel
from hub.connect import (
    ContractBroken,
    Fault,
    Misconfigured,
    NoData,
    NotPermitted,
    Page,
    Pending,
    Reauthorise,
    RefreshNeeded,
    Response,
    RetryAt,
    Subject,
    Unreadable,
    Window,
)
from tests.connectors.cn_persona import OWNER, context_of

STREAMS = {stream.name: stream for stream in connector.streams}
CONTEXT = context_of(connector, Subject(None, OWNER, "稻云生"), page_size="2")
WINDOW = Window("plots", date(2025, 1, 1), date(2026, 1, 20))
GOOD = {"period": "20260119", "areaUnit": "亩", "yieldUnit": "公斤/亩", "numFound": 0, "start": 0, "docs": []}


def read(status: int, code: object, body: Any = None, cursor: Any = None, **headers: str) -> Page:
    raw = json.dumps({"status": code, "message": "", "serial": "s", "body": body}).encode()
    heads = {name.replace("_", "-"): value for name, value in headers.items()}
    return STREAMS["plots"].read(CONTEXT, WINDOW, cursor, Response(status, heads, raw))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 4001, ContractBroken),
        (401, 4011, RefreshNeeded),
        (403, 4031, NotPermitted),
        (403, 4032, Reauthorise),
        (403, 4033, Misconfigured),
        (404, 4041, NoData),
        (404, 4042, ContractBroken),
        (425, 4251, Pending),
        (429, 4291, RetryAt),
        (500, 5001, RetryAt),
        (503, 5031, RetryAt),
        (500, 9999, RetryAt),
        (400, 9999, ContractBroken),
        (400, None, ContractBroken),
        (400, [], ContractBroken),
    ],
)
def test_every_error_has_its_remedy(status: int, code: object, kind: type[Fault]) -> None:
    with pytest.raises(kind) as caught:
        read(status, code, retry_after="4")
    assert type(caught.value) is kind
    if kind in (RetryAt, Pending):
        assert caught.value.seconds == 4.0  # type: ignore[attr-defined]


def test_who_is_not_known_is_covered_unless_the_feed_says_otherwise() -> None:
    for body, covered in ((None, True), ({"observed": []}, False)):
        with pytest.raises(NoData) as caught:
            read(404, 4041, body)
        assert caught.value.covered is covered


@pytest.mark.parametrize("missing", ["period", "areaUnit", "yieldUnit", "numFound", "start", "docs"])
def test_an_answer_without_its_frame_breaks_the_contract(missing: str) -> None:
    assert read(200, 200, GOOD).total == 0
    with pytest.raises(ContractBroken):
        read(200, 200, {name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 2},
        {"docs": [{}, {}, {}], "numFound": 3},
        {"numFound": 1},
        {"areaUnit": "英亩"},
        {"yieldUnit": "吨"},
        {"docs": ["x"], "numFound": 1},
    ],
)
def test_rows_that_were_not_asked_for_break_the_contract(wrong: dict[str, Any]) -> None:
    with pytest.raises(ContractBroken):
        read(200, 200, GOOD | wrong)


def test_the_next_rows_begin_where_these_end() -> None:
    page = read(200, 200, GOOD | {"numFound": 3, "docs": [{}, {}]})
    assert json.loads(STREAMS["plots"].request(CONTEXT, WINDOW, page.next).body) == {"start": 2, "rows": 2}
    last = read(200, 200, GOOD | {"numFound": 3, "start": 2, "docs": [{}]}, cursor=page.next)
    assert (last.next, last.total) == (None, 3)
    anew = read(200, 200, GOOD | {"numFound": 3, "start": 2, "docs": [{}], "period": "20260120"}, cursor=page.next)
    assert anew.restart and json.loads(STREAMS["plots"].request(CONTEXT, WINDOW, anew.next).body)["start"] == 0


ROW = {
    "DKBM": "1",
    "zzj": "2026",
    "zwmc": "水稻",
    "sbmj": "62",
    "ygmj": "60",
    "yjcl": "580",
    "zxd": "POINT(119.8 33.41)",
    "areaUnit": "亩",
    "yieldUnit": "公斤/亩",
}
HOLDING = {"CBFBM": "1", "hyjs": 2, "sfcb": "是", "sfdd": "否", "sfxyc": "否", "shrq": "2026/10/15"}


@pytest.mark.parametrize(
    ("unit", "text", "mu"),
    [("亩", "60", "60"), ("厘", "6000", "60"), ("公顷", "4", "60"), ("平方米", "40000", "60"), ("厘", "0.01", "0.0001")],
)
def test_every_unit_of_area(unit: str, text: str, mu: str) -> None:
    assert parcel(CONTEXT, ROW | {"areaUnit": unit, "ygmj": text}).verified_area == Decimal(mu)


@pytest.mark.parametrize(
    ("unit", "text", "kilos"),
    [("公斤/亩", "580", "580"), ("公斤/公顷", "8700", "580"), ("斤/亩", "1160", "580"), ("公斤/公顷", "7000", "466.666667")],
)
def test_every_unit_of_yield(unit: str, text: str, kilos: str) -> None:
    assert parcel(CONTEXT, ROW | {"yieldUnit": unit, "yjcl": text}).claimed_yield == Decimal(kilos)


@pytest.mark.parametrize(
    ("function", "record", "path"),
    [
        (parcel, ROW | {"ygmj": None}, "ygmj"),
        (parcel, ROW | {"ygmj": "-1"}, "ygmj"),
        (parcel, ROW | {"ygmj": 60}, "ygmj"),
        (parcel, ROW | {"QQMJ": "1,5"}, "QQMJ"),
        (parcel, ROW | {"cbmj": "1.1234567"}, "cbmj"),
        (parcel, ROW | {"areaUnit": "顷"}, "areaUnit"),
        (parcel, ROW | {"yieldUnit": None}, "yieldUnit"),
        (parcel, ROW | {"zxd": "POINT(33.41, 119.8)"}, "zxd"),
        (parcel, ROW | {"zxd": "POINT(33.41 99.8)"}, "zxd"),
        (parcel, ROW | {"zxd": "POINT(181 1)"}, "zxd"),
        (parcel, ROW | {"zwmc": ""}, "zwmc"),
        (holding, HOLDING | {"hyjs": -1}, "hyjs"),
        (holding, HOLDING | {"hyjs": True}, "hyjs"),
        (holding, HOLDING | {"sfcb": "Y"}, "sfcb"),
        (holding, HOLDING | {"shrq": "2026-10-15"}, "shrq"),
        (holding, HOLDING | {"CBFBM": None}, "CBFBM"),
    ],
)
def test_what_cannot_be_read_is_named(function: Any, record: dict[str, Any], path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        function(CONTEXT, record)
    assert caught.value.path == path


def test_the_longitude_comes_first_and_what_is_unknown_is_null() -> None:
    found = parcel(CONTEXT, ROW)
    assert (found.latitude, found.longitude, found.register_area, found.insured_area) == (33.41, 119.8, None, None)
    nobody = holding(CONTEXT, HOLDING)
    assert (nobody.register_holder, nobody.policy_holder, nobody.insured) == (None, None, True)


def test_a_crop_goes_by_the_lenders_name() -> None:
    other = replace(CONTEXT, config={**CONTEXT.config, "crops": '{"单季稻": "水稻"}'})
    assert [parcel(other, ROW | {"zwmc": name}).crop for name in ("单季稻", "水稻", "玉米")] == ["水稻", "水稻", "玉米"]


def test_no_identifier_travels() -> None:
    for stream in connector.streams:
        request = stream.request(CONTEXT, WINDOW, None)
        assert OWNER not in str((request.path, request.query, request.body)) and "Authorization" not in dict(request.headers)
