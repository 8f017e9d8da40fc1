"""The signature vectors beside the project: each one of a platform that this project connects holds, and one changed byte breaks it.

Vectors and schemas of vendors are read where they lie (../shared/oracles) and say so when they are not there; nothing of them is copied.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors import registry
from connectors.cn_social.sign import signature, unwrap, verifies, wrap
from connectors.cn_tax.callback import verify as verify_callback
from connectors.cn_tax.sign import callback_signature, digest
from connectors.taobao.sign import signature as top_signature
from connectors.taobao.sign import verify as top_verify
from hub.connect import Delivery, Forged

Vector = Mapping[str, Any]
ROOT = Path(__file__).resolve().parents[2]


def _top(one: Vector) -> str:
    return top_signature(one["params"], one["secret"], one["params"]["sign_method"])


def _callback(one: Vector) -> str:
    return callback_signature(one["secret"], one["timestamp"], one["nonce"], one["body"].encode())


SIGNERS: dict[str, Callable[[Vector], str]] = {
    "taobao-top": _top,
    "cn_social-hmac": lambda one: signature(one["key"], one["sid"], one["rid"], one["rtime"]),
    "cn_social-secret": lambda one: wrap(one["secret"], one["appkey"]),
    "cn_tax-digest": lambda one: digest(one["rows"]),
    "cn_tax-callback": _callback,
}
SIGNED = {
    "taobao-top": "secret",
    "cn_social-hmac": "rtime",
    "cn_social-secret": "secret",
    "cn_tax-digest": "rows",
    "cn_tax-callback": "body",
}


def _ours(shared: Path) -> list[Vector]:
    found = json.loads((shared / "oracles" / "signature-vectors" / "vectors.json").read_text("utf-8"))
    return [one for one in found if one["platform"].split("-")[0] in registry.NAMES]


def _with_another_byte(one: Vector) -> Vector:
    member = one[SIGNED[one["platform"]]]
    changed = [{**member[0], "FBRQ": "2024-04-19"}, *member[1:]] if isinstance(member, list) else member[:-1] + chr(ord(member[-1]) ^ 1)
    return {**one, SIGNED[one["platform"]]: changed}


def test_every_vector_of_our_platforms_holds(shared: Path) -> None:
    vectors = _ours(shared)
    assert {one["platform"] for one in vectors} == set(SIGNERS)
    for one in vectors:
        assert SIGNERS[one["platform"]](one) == one["expected"], one["platform"]
        assert SIGNERS[one["platform"]](_with_another_byte(one)) != one["expected"], one["platform"]


def test_the_verifiers_refuse_another_byte(shared: Path) -> None:
    for one in _ours(shared):
        changed = _with_another_byte(one)
        if one["platform"] == "taobao-top":
            assert [top_verify({**one["params"], "sign": one["expected"]}, each["secret"]) for each in (one, changed)] == [True, False]
        elif one["platform"] == "cn_social-hmac":
            given = [verifies(each["key"], each["sid"], each["rid"], each["rtime"], one["expected"]) for each in (one, changed)]
            assert given == [True, False]
        elif one["platform"] == "cn_social-secret":
            assert unwrap(one["expected"], one["appkey"]) == one["secret"] != changed["secret"]
        elif one["platform"] == "cn_tax-callback":
            assert [_takes_callback(each, one["expected"]) for each in (one, changed)] == [True, False]


def _takes_callback(one: Vector, signature: str) -> bool:
    headers = {"x-tax-timestamp": one["timestamp"], "x-tax-nonce": one["nonce"], "x-tax-signature": signature}
    delivery = Delivery(headers, one["body"].encode(), datetime.fromtimestamp(int(one["timestamp"]), UTC))
    try:
        return verify_callback({"callback_secret": one["secret"]}, delivery).event_id == "EV0001"
    except Forged:
        return False


def test_claims_of_vectors_and_schemas_are_true(shared: Path) -> None:
    """A vendor's schema that lies there must be used: none is of a platform of today. A claimed vector is there, or is the vendor's own client."""
    schemas = {path.name.split("-")[0] for path in (shared / "oracles").iterdir() if path.is_dir()} - {"signature"}
    vectors = {one["platform"].split("-")[0] for one in _ours(shared)}
    for name in registry.NAMES:
        said = tomllib.loads((ROOT / "connectors" / name / "quality.toml").read_text("utf-8"))["quality"]
        assert said["vendor_schema"] is (name in schemas), name
        assert said["signature_vector"] is (name in vectors or said["vendor_sdk"]), name
