"""How a default model is declared, what it sees, and what it gives.

``@model`` registers a pure function of a :class:`Case`; its docstring is the published text of the formula: unit, window, null rule, source. It returns each of
its outputs as a value, or as the reason why there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from hub.credit.expressions import Known, Missing, Names, Value
from hub.credit.expressions import evaluate as holds
from hub.credit.features.catalogue import Null
from hub.credit.models.lender import Watch
from hub.credit.policies import document
from hub.domain.enums import MissingReason, Unit
from hub.domain.models import ModelFault, ModelKind, ModelSlot

if TYPE_CHECKING:
    from hub.credit.evaluate import Evaluation, Findings

Given = Mapping[str, Value | MissingReason]


@dataclass(frozen=True, slots=True)
class Produces:
    """An output: its name in camel case, unit and meaning; ``words`` are what a textual one can be."""

    name: str
    unit: Unit
    doc: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """The value of an output, unrounded, or why there is none."""

    name: str
    unit: Unit
    value: Value | None
    missing: MissingReason | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a model gave. ``fault``: the external model ``wanted`` was named and did not answer, so that the default formula did. ``answer`` is what an external
    model answered, and ``request_sha256`` what it was asked."""

    slot: ModelSlot
    kind: ModelKind
    model_id: str
    version: str
    outputs: tuple[Output, ...]
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    wanted: str | None = None
    fault: ModelFault | None = None
    answer: Mapping[str, Any] | None = None
    request_sha256: str | None = None

    def __getitem__(self, name: str) -> Output:
        return next(one for one in self.outputs if one.name == name)


@dataclass(frozen=True, slots=True)
class Case:
    """What a model sees: an evaluation, what was found (also behind a closed gate), every name of a policy by its value, what the lender knows, and the results of
    the models before it."""

    made: Evaluation
    found: Findings
    names: Names
    watch: Watch
    results: Mapping[ModelSlot, Result] = field(default_factory=dict)

    def number(self, name: str) -> Decimal:
        """The value of a feature or input. Raises Null with its reason."""
        known = self.names[name]
        if known.value is None or isinstance(known.value, str | bool):
            raise Null(known.missing or MissingReason.NOT_APPLICABLE)
        return Decimal(known.value)


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the register."""

    slot: ModelSlot
    version: str
    produces: tuple[Produces, ...]
    compute: Callable[[Case], Given]
    doc: str

    @property
    def id(self) -> str:
        return f"hub.{self.slot.lower()}"

    def result(self, case: Case) -> Result:
        """By the default formula. Raises KeyError where the function gives something else than it declares."""
        given = self.compute(case)
        if set(given) != {one.name for one in self.produces}:
            raise KeyError(f"{self.id} gives other outputs than it declares")
        return Result(self.slot, ModelKind.DEFAULT, self.id, self.version, tuple(output(one, given[one.name]) for one in self.produces))


def output(one: Produces, value: Value | MissingReason) -> Output:
    missing = value if isinstance(value, MissingReason) else None
    return Output(one.name, one.unit, None if missing else value, missing)


MODELS: dict[ModelSlot, Model] = {}


def model(slot: ModelSlot, *produces: Produces, version: str = "1") -> Callable[[Callable[[Case], Given]], Callable[[Case], Given]]:
    """Declares a default model. Raises ValueError for a slot that is taken, or a function without a docstring."""

    def register(compute: Callable[[Case], Given]) -> Callable[[Case], Given]:
        doc = " ".join((compute.__doc__ or "").split())
        if slot in MODELS or not doc:
            raise ValueError(f"{slot} is declared twice, or nothing says what it is")
        MODELS[slot] = Model(slot, version, produces, compute, doc)
        return compute

    return register


@cache
def figures() -> Mapping[str, Any]:
    """The dated document of the models."""
    return document("models")


def tried(compute: Callable[[], Value]) -> Value | MissingReason:
    """A value, or the reason why there is none."""
    try:
        return compute()
    except Null as null:
        return null.reason


Condition = str | list[str]
"""An expression, or several that must all hold."""


def decided(conditions: list[Condition], names: Names) -> bool | MissingReason:
    """Whether any of some conditions holds. One that cannot be told leaves open what no other one decides; one that does not apply decides nothing."""
    outcomes = [together(one, names) for one in conditions]
    if True in outcomes:
        return True
    reasons = [one for one in outcomes if isinstance(one, MissingReason)]
    unknown = [reason for reason in reasons if reason is not MissingReason.NOT_APPLICABLE]
    if unknown:
        return unknown[0]
    return MissingReason.NOT_APPLICABLE if len(reasons) == len(outcomes) else False


def together(condition: Condition, names: Names) -> bool | MissingReason:
    """Whether all of it holds: one part that does not is enough for no, whatever the others would say."""
    parts = [holds(one, names) for one in ([condition] if isinstance(condition, str) else condition)]
    if False in parts:
        return False
    return next((one.reason for one in parts if isinstance(one, Missing)), True)


def first_match(rules: list[tuple[str, bool | MissingReason]], otherwise: str) -> str | MissingReason:
    """The first rule that holds. Behind one that cannot be told nothing is certain any more, so its reason is the result."""
    for name, outcome in rules:
        if outcome is True:
            return name
        if isinstance(outcome, MissingReason) and outcome is not MissingReason.NOT_APPLICABLE:
            return outcome
    return otherwise


def known(value: Value | None, missing: MissingReason, *, numeric: bool = True) -> Known:
    """A value, or why there is none."""
    return Known(value, None if value is not None else missing, numeric)
