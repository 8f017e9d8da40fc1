"""Eight small clients written from the vendors' and the profiles' documents alone: they import nothing of this project and know only what ``hub sandbox --json`` prints.

Each exchanges what can be exchanged, asks for the period that is said to hold data, and returns the records it got. ``tamper`` changes the request after
it was signed, or the credential where nothing is signed; the platform must then refuse, and the client raises Refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote_plus

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Printed = Mapping[str, Any]
Rows = list[dict[str, Any]]
CHINA = timezone(timedelta(hours=8))


class Refused(Exception):
    """The platform gave no data."""


def _now() -> str:
    return datetime.now(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()}


def _bearer(token: str, tamper: bool) -> dict[str, str]:
    return {"Authorization": f"Bearer {token[:-1] + ('A' if token[-1] != 'A' else 'B') if tamper else token}"}


def _code_grant(http: httpx.Client, url: str, given: Printed) -> dict[str, Any]:
    """RFC 6749 with PKCE: the code that was printed against tokens."""
    form = {
        "grant_type": "authorization_code",
        "code": given["code"],
        "redirect_uri": given["redirect_uri"],
        "code_verifier": given["code_verifier"],
    }
    answer = http.post(url, data=form, headers=_basic(given["client_id"], given["client_secret"]))
    if answer.status_code != 200:
        raise Refused(answer.text)
    found: dict[str, Any] = answer.json()
    return found


def taobao(http: httpx.Client, given: Printed, tamper: bool) -> Rows:
    form = {"grant_type": "authorization_code", "code": given["code"], "redirect_uri": given["redirect_uri"], "view": "web"}
    secrets = {"client_id": given["app_key"], "client_secret": given["app_secret"]}
    token = http.post(given["base_url"] + given["paths"]["token"], data={**form, **secrets}).json()
    asked = {
        "method": "taobao.trades.sold.get",
        "app_key": given["app_key"],
        "session": token["access_token"],
        "timestamp": _now(),
        "v": "2.0",
        "format": "json",
        "sign_method": "md5",
        "fields": "tid,status,payment,created",
        "start_created": f"{given['day']} 00:00:00",
        "end_created": f"{given['day']} 23:59:59",
    }
    text = given["app_secret"] + "".join(f"{name}{asked[name]}" for name in sorted(asked)) + given["app_secret"]
    asked["sign"] = hashlib.md5(text.encode()).hexdigest().upper()
    answer = http.post(given["base_url"] + given["paths"]["gateway"], data=asked | ({"fields": "tid"} if tamper else {})).json()
    if "error_response" in answer:
        raise Refused(answer["error_response"]["msg"])
    rows: Rows = answer["trades_sold_get_response"]["trades"]["trade"]
    return rows


def alipay(http: httpx.Client, given: Printed, tamper: bool) -> Rows:
    """RSA2 both ways; the answer is verified over its raw bytes."""
    private = serialization.load_pem_private_key(given["app_private_key_pkcs1"].encode(), password=None)
    public = serialization.load_pem_public_key(given["alipay_public_key"].encode())
    assert isinstance(private, rsa.RSAPrivateKey) and isinstance(public, rsa.RSAPublicKey)

    def call(method: str, content: Mapping[str, str], **extra: str) -> dict[str, Any]:
        query = {"app_id": given["app_id"], "method": method, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2", "version": "1.0"}
        query |= {"timestamp": _now(), **extra}
        form = {"biz_content": json.dumps(content)}
        text = "&".join(f"{name}={value}" for name, value in sorted((query | form).items()))
        query["sign"] = base64.b64encode(private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        if tamper:
            form["biz_content"] += " "
        raw = http.post(given["base_url"] + given["gateway_path"], params=query, data=form).content
        name = b'"' + method.replace(".", "_").encode() + b'_response":'
        if name not in raw:
            raise Refused(raw.decode())
        signed, _, signature = raw.partition(name)[2].rpartition(b',"sign":"')
        public.verify(base64.b64decode(signature.rstrip(b'"}')), signed, padding.PKCS1v15(), hashes.SHA256())
        answer: dict[str, Any] = json.loads(signed)
        if answer["code"] != "10000":
            raise Refused(answer["sub_code"])
        return answer

    token = call("alipay.open.auth.token.app", {"grant_type": "authorization_code", "code": given["app_auth_code"]})["app_auth_token"]
    question = {"start_time": given["period"]["from"], "end_time": given["period"]["to"], "page_no": "1", "page_size": "2000"}
    log = "alipay.data.bill.accountlog.query"
    rows: Rows = []
    for account in given["bill_user_ids"]:
        rows += call(log, {**question, "bill_user_id": account}, app_auth_token=token)["detail_list"]
    return rows


def cn_tax(http: httpx.Client, given: Printed, tamper: bool) -> Rows:
    """Token, collection, package; the digest over the rows is checked."""
    base, form = given["base_url"], {"grant_type": "client_credentials"}
    token = http.post(base + given["token_path"], data=form, headers=_basic(given["client_id"], given["client_secret"])).json()
    headers = _bearer(token["access_token"], tamper)
    order = {"SQBH": given["SQBH"], "SJX": ["SBXX"], "SJQQ": given["period"]["from"], "SJQZ": given["period"]["to"]}
    made = http.post(
        f"{base}/collections", json=order, headers={**headers, "Idempotency-Key": hashlib.sha256(base.encode()).hexdigest()}
    ).json()
    if made["code"] != "00000":
        raise Refused(made["message"])
    url = f"{base}/collections/{made['data']['CJBH']}"
    for _ in range(20):
        state = http.get(url, headers=headers).json()["data"]
        if state["CJZT_DM"] == "30":
            break
        time.sleep(0.05)
    item = state["XM"][0]
    page = http.get(f"{url}/items/SBXX", params={"page": 1, "page_size": 200}, headers=headers).json()["data"]
    text = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n" for row in page["rows"])
    assert (item["ZJLS"], item["ZY"]) == (len(page["rows"]), hashlib.sha256(text.encode()).hexdigest())
    rows: Rows = page["rows"]
    return rows


def cn_social(http: httpx.Client, given: Printed, tamper: bool) -> Rows:
    """Both modes; contributions by token, the employer's months by signature."""
    token = _code_grant(http, given["base_url"] + given["oauth2"]["token_path"], given["oauth2"])
    service = given["base_url"] + given["service_path"]
    question = {"qsny": given["period"]["qsny"], "zzny": given["period"]["zzny"], "page": 1, "pagesize": 100}
    path = service.replace("{service}", "si/contribution/query")
    answer = http.post(path, json=question, headers=_bearer(token["access_token"], tamper))
    if answer.status_code != 200 or answer.json()["subcode"] != "OK":
        raise Refused(answer.text)
    return [*answer.json()["data"]["rows"], *_signed_social(http, service, given["hmac"], question)]


def _signed_social(http: httpx.Client, service: str, given: Printed, question: Mapping[str, Any]) -> Rows:
    def call(path: str, key: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        sid, rid, rtime = given["sids"][path], given["rid"], str(time.time_ns() // 1_000_000)
        sign = base64.b64encode(hmac.digest(key.encode(), f"{sid}{rid}{rtime}".encode(), "sha256")).decode()
        headers = {given["header_prefix"] + name: value for name, value in {"rid": rid, "sid": sid, "rtime": rtime, "sign": sign}.items()}
        answer: dict[str, Any] = http.post(
            service.replace("{service}", path), json=headers if body is None else body, headers=headers
        ).json()
        return answer

    wrapped = base64.b64decode(call("auth/secret", given["appkey"], None)["data"]["secret"])
    key = hashlib.sha1(hashlib.sha1(given["appkey"].encode()).digest()).digest()[:16]
    opened = Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(wrapped)
    secret = opened[: -opened[-1]].decode()
    path = "si/employer/query"
    assert call(path, "another secret", {"sqbh": given["sqbh"], **question})["subcode"] == "SIGN_INVALID"
    rows: Rows = call(path, secret, {"sqbh": given["sqbh"], **question})["data"]["rows"]
    return rows


def cn_credit_bureau(http: httpx.Client, given: Printed, tamper: bool) -> Rows:
    """The code that was printed is exchanged; its consent is then the one to order with."""
    token = _code_grant(http, given["base_url"] + given["paths"]["token"], given)
    headers = _bearer(token["access_token"], tamper)
    order = {**given["order"], "authorization_no": token["sqbh"]}
    key = hashlib.sha256(token["sqbh"].encode()).hexdigest()
    made = http.post(given["base_url"] + given["paths"]["order"], json=order, headers={**headers, "Idempotency-Key": key})
    if made.status_code != 202:
        raise Refused(made.text)
    number = made.json()["data"]["report_no"]
    for _ in range(40):
        if (
            http.get(given["base_url"] + given["paths"]["report"].format(report_no=number), headers=headers).json()["data"]["status"]
            == "30"
        ):
            break
        time.sleep(0.05)
    rows: Rows = []
    for section in given["sections"]:
        path = given["paths"]["section"].format(report_no=number, section=section)
        rows += http.get(given["base_url"] + path, headers=headers).json()["data"]["rows"]
    return rows


def cn_public_records(http: httpx.Client, given: Printed, tamper: bool) -> Rows:
    token = _code_grant(http, given["base_url"] + given["paths"]["token"], given)
    rows: Rows = []
    for service in given["services"]:
        question = {"page": 1, "page_size": 50, "qsrq": given["period"]["from"], "zzrq": given["period"]["to"]}
        path = given["paths"]["service"].format(service=service)
        answer = http.post(given["base_url"] + path, json=question, headers=_bearer(token["access_token"], tamper))
        if answer.status_code == 401:
            raise Refused(answer.text)
        rows += (answer.json()["data"] or {}).get("rows", [])
    return rows


def cn_procurement(http: httpx.Client, given: Printed, tamper: bool) -> Rows:
    """Two items at a time, by the mark of the next page."""
    token = _code_grant(http, given["base_url"] + given["paths"]["token"], given)
    question = {f"signed{name.title()}": day.replace("-", "") for name, day in given["period"].items()} | {"limit": "2"}
    rows: Rows = []
    for path in (given["paths"]["contracts"], given["paths"]["accounts"]):
        mark: dict[str, str] = {}
        while True:
            answer = http.get(given["base_url"] + path, params=question | mark, headers=_bearer(token["access_token"], tamper))
            if answer.status_code != 200:
                raise Refused(answer.text)
            result = answer.json()["result"]
            rows += result["items"]
            if not result["more"]:
                break
            mark = {"mark": result["mark"]}
    return rows


def cn_farm(http: httpx.Client, given: Printed, tamper: bool) -> Rows:
    token = _code_grant(http, given["base_url"] + given["paths"]["token"], given)
    rows: Rows = []
    for service in given["services"]:
        path = given["base_url"] + given["paths"]["service"].format(service=service)
        answer = http.post(path, json={"start": 0, "rows": 200}, headers=_bearer(token["access_token"], tamper))
        if answer.status_code != 200:
            raise Refused(answer.text)
        rows += answer.json()["body"]["docs"]
    return rows


CLIENTS: dict[str, Callable[[httpx.Client, Printed, bool], Rows]] = {
    "alipay": alipay,
    "cn_credit_bureau": cn_credit_bureau,
    "cn_farm": cn_farm,
    "cn_procurement": cn_procurement,
    "cn_public_records": cn_public_records,
    "cn_social": cn_social,
    "cn_tax": cn_tax,
    "taobao": taobao,
}
