"""What is wrong with what was to be loaded, place by place."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry

from schema import services
from schema.access import DataKind, access, shown

REFERENCE_WRITE = access("reference:write", DataKind.CLIENT)


@strawberry.type(description="A fault in what was to be loaded.", directives=[REFERENCE_WRITE])
class LoadFault:
    line: int = shown("Of a text the line, of a list the place; both count from 1.")
    path: str = shown("Where: the path in a document, or the field of a row.")
    wrong: str = shown("What is wrong there.")
    remedy: str = shown("What to do about it.")


def shown_faults(found: Iterable[services.Fault]) -> list[LoadFault]:
    return [LoadFault(line=one.line, path=one.where, wrong=one.wrong, remedy=one.remedy) for one in found]
