"""What is looked at on every page: axe-core's findings, the place for fingers, the width, the language, what the browser complains of.

axe-core comes from npm into the tests' cache, once. The pages' own policy forbids scripts: axe is put in by the DevTools, which the policy does not bind.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.hub.link.chromium import Page

AXE = "4.14.1"
LANG = {"zh": "zh-CN", "en": "en"}
_RUN = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(one => [one.impact, one.id, one.nodes.map(node => node.html)]))"
_SMALL = """
[...document.querySelectorAll('main a, main button, main summary, main label, header a')].map(one => [one, one.getBoundingClientRect()])
    .filter(([one, box]) => box.width && box.height && (box.height < 44 || box.width < 44)).map(([one, box]) => one.outerHTML.slice(0, 120) + ' ' + box.height)
"""


class NoAxe(Exception):
    """axe-core cannot be had."""


def axe_source(cache: Path) -> str:
    """The script of axe-core, from the cache or from npm. Raises NoAxe."""
    script = cache / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        if not (npm := shutil.which("npm")):
            raise NoAxe("there is no npm to get axe-core with")
        asked = [npm, "install", "--prefix", str(cache), "--no-audit", "--no-fund", "--ignore-scripts", "--silent", f"axe-core@{AXE}"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode or not script.exists():
            raise NoAxe(f"npm could not get axe-core {AXE}: {done.stderr.strip()[:200]}")
    return script.read_text("utf-8")


class Eyes:
    """Looks at pages. ``seen`` counts, ``mild`` are the findings below serious."""

    def __init__(self, axe: str, folder: Path) -> None:
        self.axe, self.folder = axe, folder
        self.seen: list[str] = []
        self.mild: list[str] = []

    async def findings(self, page: Page) -> list[str]:
        """What axe-core calls serious or critical."""
        await page.run(self.axe)
        found: list[list[Any]] = await page.run(_RUN)
        told = [f"{impact} {rule}: {' | '.join(nodes)[:300]}" for impact, rule, nodes in found]
        self.mild += [one for one in told if not one.startswith(("serious", "critical"))]
        return [one for one in told if one.startswith(("serious", "critical"))]

    async def see(self, page: Page, name: str, language: str) -> None:
        """One state of a page: a picture, and everything that is looked at."""
        await page.picture(self.folder / f"{name}.png")
        assert await self.findings(page) == [], name
        assert await page.run("document.documentElement.lang") == LANG[language], name
        assert await page.run("document.documentElement.scrollWidth - innerWidth") <= 0, f"{name} is wider than its screen"
        assert await page.run(_SMALL) == [], f"{name} has something too small for a finger"
        assert page.complaints == [], name
        self.seen.append(name)
