"""Every page in every state, without a browser: what a keyboard, a screen reader and the policy need of it; each check with a page that fails it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.link.telling import PROBLEMS
from tests.hub.link.markup import faults, read
from tests.hub.link.side import Person, Side
from tests.hub.link.test_manage import form_to, given, logged, managed, withdraw


async def states(side: Side, me: Person) -> AsyncIterator[tuple[str, str]]:
    """The name and the address of every state a customer can meet; the state is there when it is named."""
    await me.open(await side.link())
    yield "ask", "/link/"
    side.world.platform.decision = "refuse"
    await me.get(await me.to_platform_and_back(await me.agree((await me.get("/link/?lang=zh")).text)))
    yield "refused", "/link/"
    side.world.platform.decision = "agree"
    await given(side, me)
    yield "waiting", "/link/"
    for stage, statement in STAGES.items():
        await side.world.do(f"UPDATE connection SET {statement} WHERE customer_id = :customer")
        yield stage, "/link/"
    await side.world.do(WINDOW)
    yield "figures", "/link/"
    await logged(side, side.world.customer_id, "Look", "Customer.nameMasked", "TaxReturn.filedOn", "Novelty.value")
    page = await managed(side, me)
    yield "manage", "/link/manage"
    told = await withdraw(me, page, take=1)
    assert "Consent withdrawn" in told
    (row,) = await side.rows("SELECT consent_id FROM consent WHERE customer_id = :customer AND status = 'REVOKED'")
    yield "withdrawn", f"/link/manage/withdrawn?consent={row['consent_id']}"
    yield "nothing withdrawn", "/link/manage/withdrawn"
    yield "manage after", "/link/manage"
    finish = form_to((await me.get("/link/?lang=zh")).text, "/link/finish")
    await me.post(finish, [*finish.hidden.items()])
    yield "finished", "/link/"
    for problem in PROBLEMS:
        yield f"problem {problem}", f"/link/problem/{problem}"
    yield "no such page", "/link/nowhere"


STAGES = {
    "running": "lease_until = now() + interval '1 hour'",
    "paused": "lease_until = NULL, due_at = NULL, last_verdict = 'PARKED'",
    "trouble": "last_verdict = 'FAILED', last_fault = 'ContractBroken'",
    "again": "status = 'REAUTHORISE', last_fault = 'Reauthorise'",
    "complete": "status = 'ACTIVE', last_verdict = 'COMPLETE', last_fault = NULL",
}
WINDOW = """
INSERT INTO sync_window (customer_id, connection_id, stream, first_day, last_day, source, kinds, state, fetched, run_id)
SELECT customer_id, connection_id, 'refunds', current_date, current_date, 'SHOP', '{Refund}', 'DONE', 12345, connection_id FROM connection WHERE customer_id = :customer
"""


async def test_every_state_in_both_languages(side: Side, me: Person) -> None:
    seen = {}
    async for name, address in states(side, me):
        for language in ("zh", "en"):
            joint = "&" if "?" in address else "?"
            answer = await me.get(f"{address}{joint}lang={language}")
            assert answer.headers["content-type"].startswith("text/html"), name
            assert faults(answer.text) == [], (name, language)
            assert answer.headers["content-language"] == {"zh": "zh-CN", "en": "en"}[language], name
            seen[name, language] = answer.text
    assert len(seen) == 2 * (15 + len(PROBLEMS))
    for language in ("zh", "en"):
        texts = [read(seen[name, language]).all("main")[0].text for name in ("ask", "waiting", *STAGES, "figures", "finished")]
        assert len(set(texts)) == len(texts), "each state says something else"
    assert "12,345" in seen["figures", "en"]


async def test_the_order_of_the_keyboard(side: Side, me: Person) -> None:
    """Skip, language, then per platform the boxes of each source (the consent, and that the app may have it), each with its full text behind it, then its button; the end
    comes last."""
    stops = [(node.tag, node.attrs.get("type", "")) for node in read(await me.open(await side.link())).stops()]
    box = [("input", "checkbox"), ("summary", "")]
    assert stops == [("a", ""), ("a", ""), ("a", ""), *box, *box, *box, *box, ("button", ""), ("button", "")]


async def test_the_language_switch_keeps_its_place(side: Side, me: Person) -> None:
    await given(side, me)
    for number in range(12):
        await logged(side, side.world.customer_id, f"Look{number}", "Customer.nameMasked", client="partner")
    page = read(await managed(side, me))
    older = next(node.attrs["href"] for node in page.all("a") if "before=" in node.attrs["href"])
    switch = next(node.attrs["href"] for node in read((await me.get(older)).text).all("a") if node.attrs.get("hreflang") == "en")
    english = (await me.get("/link/manage" + switch)).text
    assert "Look0" in english and "Look11" not in english and '<html lang="en">' in english
    refused = await me.post("/link/agree", [])
    switch = next(node.attrs["href"] for node in read(refused.text).all("a") if node.attrs.get("hreflang") == "zh-CN")
    assert switch == "/link/problem/foreign_form?lang=zh", "the page of a refused form cannot be asked for, its problem can"
    assert "表单未被接受" in (await me.get(switch)).text


@pytest.mark.parametrize(
    ("whole", "broken"),
    [
        ('<html lang="zh-CN">', "<html>"),
        ('name="viewport"', 'name="port"'),
        ("<h1>", "<h1>x</h1><h1>"),
        ("</main>", ""),
        ("<label for=", "<label data-for="),
        ("<h3 ", "<h4 "),
        ('aria-labelledby="about"', 'aria-labelledby="elsewhere"'),
        ('id="how"', 'id="about"'),
        ('name="csrf"', 'name="crsf"'),
        ('method="post"', 'method="get"'),
        ('type="checkbox"', 'type="checkbox" checked'),
        ('tabindex="-1"', 'tabindex="5"'),
        ('class="skip"', 'class="skip" onclick="x"'),
        ("<body>", "<body><script>1</script>"),
        ("<body>", '<body style="color: red">'),
        ("<head>", '<head><meta http-equiv="refresh" content="5">'),
        ("/link/style.css", "https://cdn.example/style.css"),
        ('aria-hidden="true"', ""),
        (' aria-current="true"', ""),
    ],
)
async def test_what_is_broken_is_noticed(side: Side, me: Person, whole: str, broken: str) -> None:
    page = await me.open(await side.link())
    assert faults(page) == []
    assert whole in page
    found = faults(page.replace(whole, broken))
    assert found
