"""The positive controls of certification: connectors, and platforms, that break one promise each, and the check that finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cli.certify import CHECKS, Candidate, certify
from tests.contract.cheats import Changes, copy_of_the_skeleton

# Places of the skeleton that are changed more than once.
READ = "    def read(self, context: Context, window: Window, cursor: Json | None, response: Response) -> Page:\n"
HOLDER = 'consent = server.holder(request.headers.get("authorization", ""))'
ANYBODY = (HOLDER, "consent = next(iter(server.consents.by_number.values()))")
SIGN = 'return request.with_headers(Authorization=f"Bearer {token}")'
UNSIGNED = (SIGN, "return request")
ASK = 'return Request("GET", "/sales").with_query('
WHOLE = "return windows.whole(self.name, first, last)"
GMV = 'gmv=_money(record, "gmv")'
NEXT = "next=int(cursor or 1) + 1"
NOT_AN_AMOUNT = 'raise Unreadable(name, "not an amount") from None'
ANSWER = "        answer = json_object(response, context.now)\n"


def stream(*changes: tuple[str, str]) -> Changes:
    return {"stream.py": changes}


def platform(member: str, instead: str) -> Changes:
    """The skeleton's OAuth server with one of its functions replaced."""
    return {"sandbox.py": [("    async def sales", f"    setattr(server, '{member}', {instead})\n\n    async def sales")]}


def careless(body: str) -> Changes:
    """The skeleton with an authorisation of its own."""
    head = "class Careless(CodeGrant):\n    "
    return {"__init__.py": [('SCOPES = ("sales.read",)\n', f'SCOPES = ("sales.read",)\n\n\n{head}{body}\n'), ("=CodeGrant(", "=Careless(")]}


STATELESS = "def begin(self, context, *, state, **rest):\n        return CodeGrant.begin(self, context, state='fixed', **rest)"
UNTOLD = "def complete(self, context, **rest):\n        return CodeGrant.complete(self, context, **{**rest, 'callback': {'state': ''}})"
HASHED = (
    SIGN,
    'proof = __import__("hashlib").sha256(f"{context.config[\'client_secret\']}{request.query}".encode()).hexdigest()\n    '
    'return request.with_headers(Authorization=f"Bearer {token}", X_Proof=proof)',
)
IMPURE = [("from datetime import date\n", "from datetime import date, datetime\n"), (ASK, f'{ASK}at=f"{{datetime.now()}}", ')]
IMPORTED = ("from hub.connect import Context, ", "from hub.connect import Context, Interval, ")

VERIFIED = 'event_id = standard([config["push_secret"]], delivery)'
AT_ITS_TIME = """from dataclasses import replace
    from datetime import UTC, datetime
    at = datetime.fromtimestamp(int(delivery.headers["webhook-timestamp"]), UTC)
    event_id = standard([config["push_secret"]], replace(delivery, now=at))"""

CHEATS: dict[str, tuple[str, Changes]] = {
    # papers
    "a secret not marked": ("manifest complete", {"__init__.py": [(", secret=True", "")]}),
    "no Chinese title": ("manifest complete", {"__init__.py": [("（请改名）", "")]}),
    "a setting nobody declared": ("settings declared", {"sandbox.py": [('config = {"client', 'config = {"region": "cn", "client')]}),
    "a README without the stream": ("README complete", {"README.md": [("`monthly_sales`", "sales")]}),
    "a quality.toml that boasts": ("quality.toml true", {"quality.toml": [('windows = "one over the whole range"', "windows = true")]}),
    # authorising
    "a state that gets lost": ("customer agrees", careless(STATELESS)),
    "a refusal taken for a failure": ("customer refuses", careless(UNTOLD)),
    "any code is good": ("forged callback refused", platform("_redeem", "lambda form: [*server.consents.by_number.values()][-1]")),
    "a code that works again": ("code works once", platform("_redeem", "lambda form: server.codes[form['code']].consent")),
    "PKCE not said": ("PKCE", {"__init__.py": [("        oauth=OAuth(),\n", "")]}),
    "a secret nobody checks": ("wrong secret refused", platform("_knows_client", "lambda request: True")),
    "a revocation that does nothing": ("revocation", platform("end", "lambda consent: None")),
    "an old token is a mistake of ours": ("expired token refreshed", stream(('raise RefreshNeeded("the', 'raise ContractBroken("the'))),
    # what came
    "a total that is not true": ("declared totals", {"sandbox.py": [('"total": len(rows)', '"total": len(rows) + 1')]}),
    "only the first page": (
        "money is the persona's",
        stream(("if more else Page(tuple(rows), total=total)", "if False else Page(tuple(rows))")),
    ),
    "the first page for ever": ("every stream ends", stream((NEXT, "next=1"))),
    "fen taken for yuan": ("money is the persona's", stream((GMV, f"{GMV} * 100"))),
    "two amounts changed over": ("money is the persona's", stream((GMV, 'gmv=_money(record, "refunds")'))),
    "money as float": ("facts valid", stream((GMV, 'gmv=float(_money(record, "gmv"))'))),
    "a fraction of a fen": ("facts valid", stream((GMV, f"{GMV} / 7"))),
    "null where there is none": ("facts valid", stream(('paid_orders=_count(record, "orders")', "paid_orders=None"))),
    "one key for everything": ("keys single", stream(('month=_month(record, "month")', 'month=Month("2025-03")'))),
    "more than was asked for": ("nothing outside the range", stream(('"from": f"{window.first}", "to": f"{window.last}", ', ""))),
    "coverage made up": (
        "coverage within the window",
        stream(IMPORTED, ("total=total)", "total=total, covered=(Interval(date(2020, 1, 1), window.last),))")),
    ),
    "a record that is changed": (
        "records read alike",
        stream(("        yield Shop", '        record["seen"] = "yes"\n        yield Shop')),
    ),
    # what is asked
    "a gap between windows": ("windows cover the range", stream((WHOLE, "return windows.days(self.name, first, last, 20)[::2]"))),
    "windows that overlap": ("windows cover the range", stream((WHOLE, "return [*windows.days(self.name, first, last, 9)] * 2"))),
    "windows too long": ("windows cover the range", stream(("window_days: int | None = None", "window_days: int | None = 31"))),
    "the last day left out": ("windows cover the range", stream((WHOLE, "return windows.days(self.name, first, last, 10**4)[:-1]"))),
    "a cursor that is no JSON": ("every stream ends", stream((NEXT, "next=Decimal(int(cursor or 1) + 1)"))),
    "a secret in a cursor": (
        "cursors are JSON",
        stream(
            (NEXT, "next=f\"{int(str(cursor or 1)[:1]) + 1}{context.config['client_secret']}\""),
            ("str(cursor or 1)}", "str(cursor or 1)[:1]}"),
        ),
    ),
    "a secret in the evidence": ("evidence without secrets", stream((ASK, f'{ASK}key=context.config["client_secret"], '))),
    "a request that is not pure": ("requests are pure", stream(*IMPURE)),
    # signatures
    "no signature sent": ("every stream ends", {"__init__.py": [UNSIGNED]}),
    "no signature at all": ("changed credential refused", {"__init__.py": [UNSIGNED], "sandbox.py": [ANYBODY]}),
    "a signature nobody checks": ("changed credential refused", {"sandbox.py": [ANYBODY]}),
    "signed parameters nobody checks": ("signed parameters protected", {"__init__.py": [HASHED]}),
    # pushes
    "pushes nobody takes": ("pushes are hints", {"__init__.py": [('    webhook=Webhook(pushed, needs=("push_secret",)),\n', "")]}),
    "a push about somebody else": ("pushes are hints", {"__init__.py": [('(delivery.body)["shop"]', '(delivery.body)["shop"][1:]')]}),
    "every attempt another event": (
        "pushes are hints",
        {"__init__.py": [("Hint(event_id", 'Hint(f"{event_id}{delivery.now}"')]},
    ),
    "every event the same": ("pushes are hints", {"__init__.py": [("Hint(event_id", 'Hint("event"')]}),
    "a receipt the platform does not know": ("pushes are hints", {"sandbox.py": [("status == 204", "status == 200")]}),
    "a push nobody verifies": ("forged push refused", {"__init__.py": [(VERIFIED, 'event_id = delivery.headers["webhook-id"]')]}),
    "a push that is good for ever": ("forged push refused", {"__init__.py": [(VERIFIED, AT_ITS_TIME)]}),
    "a webhook without a key": ("forged push refused", {"__init__.py": [('push_secret",)', 'client_id",)')]}),
    # bad answers
    "a platform that is down is empty": (
        "down is waited for",
        stream((READ, f"{READ}        if response.status == 503:\n            return Page()\n")),
    ),
    "a platform that is down is broken": (
        "down is waited for",
        stream((READ, f'{READ}        if response.status == 503:\n            raise ContractBroken("down")\n')),
    ),
    "Retry-After not read": ("too fast is waited for", stream(("seconds=wait_of(response, context.now)", "seconds=60.0"))),
    "half an answer is empty": (
        "half an answer is broken",
        stream((ANSWER, f"        try:\n    {ANSWER}        except ContractBroken:\n            return Page()\n")),
    ),
    "an end that is guessed": ("no end without a signal", stream((" or not isinstance(more, bool)", ""))),
    "an end that is missing": ("no end without a signal", stream(('answer.get("more")', 'bool(answer.get("more"))'))),
    "a member that must be there": ("no end without a signal", stream(('answer.get("more")', 'answer["more"]'))),
    "a spoiled amount is zero": ("spoiled record put aside", stream((NOT_AN_AMOUNT, "return Decimal(0)"))),
    "a spoiled record stops all": ("spoiled record put aside", stream((NOT_AN_AMOUNT, "raise"))),
    "nothing is ever spoiled": ("spoiled record put aside", {"sandbox.py": [('"gmv": "n/a"', '"note": "n/a"')]}),
}


async def test_the_skeleton_itself_is_certified(tmp_path: Path) -> None:
    with copy_of_the_skeleton(tmp_path, {}) as name:
        lines = await certify(Candidate.of(name))
    assert [line for line in lines if not line.ok] == []
    assert {line.check for line in lines} == set(CHECKS) - {"signed parameters protected"}


@pytest.mark.parametrize("cheat", CHEATS)
async def test_a_cheat_is_found(cheat: str, tmp_path: Path) -> None:
    expected, changes = CHEATS[cheat]
    with copy_of_the_skeleton(tmp_path, changes) as name:
        (line,) = await certify(Candidate.of(name), {expected: CHECKS[expected]})
    assert not line.ok, line.why


def test_every_check_has_a_cheat() -> None:
    """A check that no cheat can fail would be none."""
    assert {expected for expected, _ in CHEATS.values()} == set(CHECKS)
