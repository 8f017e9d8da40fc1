"""Inputs that policies may name beside features: small pure functions of the dossier, by what they are about.

table    how an input is declared       common   register, bureau, accounts, verified revenue
tax      payments, filings, ratings     trade    invoices, acquiring, core enterprises
people   employers, persons, income     orders   confirmed orders of buyers
farm     plots and harvest              firm     qualifications, research, start-ups
"""

from __future__ import annotations

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


def known_inputs(material: Material) -> dict[str, Known]:
    """Every input by name, check statuses among them. A check that could not be made is unknown, one that does not apply is NOT_APPLICABLE."""
    found = {name: entry.known(material) for name, entry in TABLE.items()}
    checks = material.verdict.checks
    return {**found, **{f"check_{name}": _status(material, name, checks.get(name)) for name in CHECKS}}


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
