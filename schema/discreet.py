"""The words of a refusal without what was sent: an error's text is logged by clients, shown on screens, put into tickets (trust rules, section l).

Names of the contract stay: what stands behind ``field``, ``type``, ``argument`` and the like, if it can be nothing but a name. Everything else that is quoted, and whatever
stands where graphql-core puts a value, is taken out; line and column say where it was.
"""

from __future__ import annotations

import re

GONE = "..."
# Where graphql-core puts a value, it is the end of the sentence.
_VALUE = re.compile(r"((?<!invalid )value:|[Ff]ound:?|Unexpected|encountered error) .*", re.S)
_QUOTED = re.compile(r"""(?P<before>[\w$]*) ?(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.S)
_NAMING = frozenset({
    "field", "type", "argument", "variable", "directive", "fragment", "enum", "operation", "named", "on", "input", "of", "to", "for", "spread", "by",
})  # fmt: skip
_NAME = re.compile(r"['\"][$@]?[\[\]!._A-Za-z0-9]{1,80}['\"]")
_NUMBER = re.compile(r"\d[\d .-]{4,}\d|\d{6,}")


def without_values(message: str) -> str:
    """An error of parsing, validating or coercing, as a client is told it."""
    return _NUMBER.sub(GONE, _QUOTED.sub(_named, _VALUE.sub(rf"\1 {GONE}", message)))


def _named(found: re.Match[str]) -> str:
    names = found["before"].lower() in _NAMING and _NAME.fullmatch(found["quoted"]) and not _NUMBER.search(found["quoted"])
    return found[0] if names else f"{found['before']} {GONE}".lstrip()
