"""The page to ask from: off unless it is turned on, one file of ours, and nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from hub.app.explorer import PATH, policy
from hub.settings import Settings
from hub.store.database import Database
from tests.hub.access.side import open_api


async def test_it_is_off_unless_it_is_turned_on(database: Database, tmp_path: Path) -> None:
    assert Settings().explorer is False
    async with open_api(database, tmp_path) as api:
        assert (await api.sides["admin"].http.get(PATH)).status_code == 404


async def test_it_runs_its_own_script_and_asks_its_own_hub(database: Database, tmp_path: Path) -> None:
    async with open_api(database, tmp_path, explorer=True) as api:
        shown = await api.sides["admin"].http.get(PATH)
    rules = dict(rule.strip().split(" ", 1) for rule in shown.headers["content-security-policy"].split(";"))
    assert shown.status_code == 200 and rules["default-src"] == "'none'" and rules["connect-src"] == "'self'"
    assert rules["script-src"].startswith("'sha256-") and "unsafe" not in shown.headers["content-security-policy"]
    assert not re.findall(r"""(?:src|href)=|https?://|@import|url\(| on\w+=["']""", shown.text), (
        "nothing from elsewhere, and no script beside the one"
    )
    assert policy(shown.text.replace('"use strict";', "")) != policy(shown.text), "another script is not run"
