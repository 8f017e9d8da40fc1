"""What can be told of a page without a browser: labels, headings, landmarks, languages, order of the keyboard, forms, and what may not be there at all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "path"})
_FOCUSABLE = frozenset({"a", "button", "input", "summary", "select", "textarea"})
_POINTERS = ("for", "aria-labelledby", "aria-describedby")


@dataclass
class Node:
    """An element with what stands in it."""

    tag: str
    attrs: dict[str, str]
    parents: tuple[Node, ...]
    text: str = ""

    def inside(self, tag: str) -> bool:
        return any(parent.tag == tag for parent in self.parents)


@dataclass
class Document:
    """A page as a list of its elements, in order. ``torn`` are end tags that end nothing."""

    nodes: list[Node] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)

    def all(self, *tags: str) -> list[Node]:
        return [node for node in self.nodes if node.tag in tags]

    def ids(self) -> list[str]:
        return [node.attrs["id"] for node in self.nodes if "id" in node.attrs]

    def stops(self) -> list[Node]:
        """Where the tabulator key stops, in order."""
        return [
            node
            for node in self.all(*_FOCUSABLE)
            if node.attrs.get("type") != "hidden" and "disabled" not in node.attrs and not (node.tag == "a" and "href" not in node.attrs)
        ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.document, self.open = Document(), list[Node]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, tuple(self.open))
        self.document.nodes.append(node)
        if tag not in _VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1].tag == tag:
            self.open.pop()
        elif tag not in _VOID:
            self.document.torn.append(tag)

    def handle_data(self, data: str) -> None:
        for node in self.open:
            node.text += data


def read(html: str) -> Document:
    reader = _Reader()
    reader.feed(html)
    reader.document.torn += [node.tag for node in reader.open]
    return reader.document


def faults(html: str) -> list[str]:
    """What is wrong with a page."""
    page = read(html)
    checks = (_frame, _labels, _pointers, _headings, _forms, _order, _nothing_from_outside)
    return [f"{check.__name__}: {one}" for check in checks for one in check(page)]


def _frame(page: Document) -> list[str]:
    found = [f"{tag} is not closed where it should be" for tag in page.torn]
    roots = page.all("html")
    if [root.attrs.get("lang") for root in roots] not in (["zh-CN"], ["en"]):
        found.append("the language of the page is not told")
    for tag in ("title", "main", "header", "footer", "h1"):
        if len(page.all(tag)) != 1:
            found.append(f"{len(page.all(tag))} {tag}")
    if not any(node.attrs.get("name") == "viewport" and "user-scalable" not in node.attrs["content"] for node in page.all("meta")):
        found.append("no viewport that can be zoomed")
    chosen = [node.attrs.get("lang") for node in page.all("a") if node.attrs.get("aria-current")]
    return found if chosen == [roots[0].attrs.get("lang")] else [*found, "the language switch does not tell which is chosen"]


def _labels(page: Document) -> list[str]:
    labelled = {node.attrs.get("for") for node in page.all("label") if node.text.strip()}
    found = [
        f"no label for {node.attrs}"
        for node in page.all("input")
        if node.attrs.get("type") != "hidden" and node.attrs.get("id") not in labelled
    ]
    found += [
        f"{node.tag} without words"
        for node in page.all("a", "button", "summary", "legend", "h1", "h2", "h3", "li", "dd", "dt")
        if not node.text.strip()
    ]
    found += [f"{node.attrs} has no name" for node in page.all("progress", "nav") if not node.attrs.get("aria-label")]
    return found + ["a picture without aria-hidden" for node in page.all("svg") if node.attrs.get("aria-hidden") != "true"]


def _pointers(page: Document) -> list[str]:
    ids = page.ids()
    found = [f"id {one} stands twice" for one in set(ids) if ids.count(one) > 1]
    pointed = [(name, one) for node in page.nodes for name in _POINTERS for one in node.attrs.get(name, "").split()]
    pointed += [("href", node.attrs["href"][1:]) for node in page.all("a") if node.attrs.get("href", "").startswith("#")]
    return found + [f"{name} points at {one}, which is not there" for name, one in pointed if one not in ids]


def _headings(page: Document) -> list[str]:
    levels = [int(node.tag[1]) for node in page.all("h1", "h2", "h3", "h4")]
    return [f"h{before} is followed by h{after}" for before, after in zip([0, *levels], levels, strict=False) if after > before + 1]


def _forms(page: Document) -> list[str]:
    found = []
    for form in page.all("form"):
        inside = [node for node in page.nodes if form in node.parents]
        if form.attrs.get("method") != "post" or not form.attrs.get("action", "").startswith("/link/"):
            found.append(f"a form goes to {form.attrs}")
        if not any(node.attrs.get("name") == "csrf" and len(node.attrs.get("value", "")) == 64 for node in inside):
            found.append("a form without its token")
        if len([node for node in inside if node.tag == "button"]) != 1:
            found.append("a form has one button")
        boxes = [node for node in inside if node.attrs.get("type") == "checkbox"]
        if any("checked" in node.attrs for node in boxes):
            found.append("something is ticked beforehand")
        if boxes and not all(node.inside("fieldset") for node in boxes):
            found.append("boxes without a group")
    return found


def _order(page: Document) -> list[str]:
    """The first stop leads to the content; nothing steps out of line; a form's boxes come before its button."""
    stops = page.stops()
    found = ["the first stop does not lead to the content"] if not stops or stops[0].attrs.get("href") != "#content" else []
    found += ["something steps out of line" for node in page.nodes if node.attrs.get("tabindex", "-1") != "-1"]
    for form in page.all("form"):
        inside = [node for node in stops if form in node.parents]
        if inside and inside[-1].tag != "button":
            found.append("a form does not end with its button")
    return found


def _nothing_from_outside(page: Document) -> list[str]:
    found = [f"{node.tag} is there" for node in page.all("script", "style", "iframe", "img", "object", "embed", "base")]
    found += [f"{name} on {node.tag}" for node in page.nodes for name in node.attrs if name == "style" or name.startswith("on")]
    found += ["the page reloads itself" for node in page.all("meta") if "http-equiv" in node.attrs]
    loaded = [node.attrs["href"] for node in page.all("link")]
    return found if all(re.fullmatch(r"/link/style\.css\?[0-9a-f]{12}", one) for one in loaded) and loaded else [*found, f"loads {loaded}"]
