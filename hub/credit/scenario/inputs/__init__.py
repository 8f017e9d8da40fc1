"""Inputs that policies may name beside features: small pure functions of the dossier, by what they are about.

table    how an input is declared       common   register, bureau, accounts, verified revenue
tax      payments, filings, ratings     trade    invoices, acquiring, core enterprises
people   employers, persons, income     orders   confirmed orders of buyers
farm     plots and harvest              firm     qualifications, research, start-ups
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.credit.crosscheck.checks import Check, Status
from hub.credit.expressions import Known
from hub.credit.policies import document
from hub.credit.scenario.inputs import common, farm, firm, orders, people, tax, trade
from hub.credit.scenario.inputs.common import existing_balances
from hub.credit.scenario.inputs.table import TABLE, Kind, Material
from hub.domain.enums import MissingReason, SourceKind

MODULES = (common, tax, trade, people, orders, farm, firm)
"""The modules that declare inputs; importing them fills the table."""

STATUSES = ("PASS", "WARN", "FAIL", "SEVERE")
CHECKS = tuple(document("engine")["checks"])
KINDS: dict[str, Kind] = {name: entry.kind for name, entry in TABLE.items()} | {f"check_{name}": STATUSES for name in CHECKS}
"""Every name that an expression may use beside feature ids, and what it stands for."""

INPUTS = frozenset(KINDS)


class Inputs(Mapping[str, Known]):
    """Every input by name, each computed when it is first asked for: a policy names few of them, and some read every transaction."""

    def __init__(self, material: Material) -> None:
        self._material, self._made = material, dict[str, Known]()

    def __getitem__(self, name: str) -> Known:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in KINDS

    def __iter__(self) -> Iterator[str]:
        return iter(KINDS)

    def __len__(self) -> int:
        return len(KINDS)

    def _make(self, name: str) -> Known:
        if name in TABLE:
            return TABLE[name].known(self._material)
        if name not in KINDS:
            raise KeyError(name)
        check = name.removeprefix("check_")
        return _status(self._material, check, self._material.verdict.checks.get(check))


def known_inputs(material: Material) -> Inputs:
    """Every input by name, check statuses among them. A check that could not be made is unknown, one that does not apply is NOT_APPLICABLE."""
    return Inputs(material)


def _status(material: Material, name: str, check: Check | None) -> Known:
    if check is None or check.status is Status.NOT_APPLICABLE:
        return Known(None, MissingReason.NOT_APPLICABLE, numeric=False)
    if check.available:
        return Known(str(check.status), None, numeric=False)
    needs = [[SourceKind(kind) for kind in options] for options in document("engine")["checks"][name]["needs"]]
    lacking = [options[0] for options in needs if not any(material.dossier.readable(kind) for kind in options)]
    reason = material.dossier.source(lacking[0]).reason if lacking else None
    return Known(None, reason or MissingReason.INSUFFICIENT_COVERAGE, numeric=False)


__all__ = ["INPUTS", "KINDS", "Kind", "Material", "existing_balances", "known_inputs"]
