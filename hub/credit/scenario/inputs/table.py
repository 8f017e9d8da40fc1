"""How an input of expressions is declared, and the table of all of them.

``@given`` registers a function of :class:`Material` by its name and kind. It returns a value, or raises Null with the reason, like a feature's formula;
its docstring says what a policy may rely on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hub.credit.crosscheck.observers import Observers
from hub.credit.crosscheck.verdict import Verdict
from hub.credit.dossier import Dossier
from hub.credit.expressions import Known, Value
from hub.credit.features import Null
from hub.credit.features.reading import Reading, Shared
from hub.credit.features.series import SeriesProfile
from hub.credit.values import FeatureSet
from hub.domain.enums import MissingReason, SourceKind

Kind = Literal["NUMBER", "FLAG"] | tuple[str, ...]
"""A number, true or false, or one of some words."""


class Material:
    """What an input may look at. ``purpose`` is that of the request.

    ``looked``: at something beside the dossier. An input that looks at the dossier alone is the same in every scenario of it.
    """

    __slots__ = ("_features", "_observers", "_purpose", "_shared", "_verdict", "dossier", "looked")

    def __init__(
        self, dossier: Dossier, features: FeatureSet, verdict: Verdict, purpose: str = "OPERATING", observers: Observers | None = None
    ) -> None:
        self.dossier, self.looked = dossier, False
        self._features, self._verdict, self._purpose, self._observers = features, verdict, purpose, observers
        self._shared: Shared | None = None

    @property
    def features(self) -> FeatureSet:
        self.looked = True
        return self._features

    @property
    def verdict(self) -> Verdict:
        self.looked = True
        return self._verdict

    @property
    def purpose(self) -> str:
        self.looked = True
        return self._purpose

    @property
    def observers(self) -> Observers | None:
        self.looked = True
        return self._observers

    @property
    def reading(self) -> Reading:
        """The dossier through the rules that formulas share."""
        # Kept here and not by the dossier, which would then hold itself, and stay until the collector of cycles comes by.
        if self._shared is None:
            self._shared = Shared(self.dossier, SeriesProfile())
        return Reading(self._shared)

    @property
    def person(self) -> str:
        """The natural person behind the subject."""
        return self.dossier.subject.responsible_hash or self.dossier.subject.own_hash

    def need(self, *kinds: SourceKind) -> None:
        """All of them readable; otherwise Null with the reason of the first that is not."""
        for kind in kinds:
            reason = self.dossier.source(kind).reason
            if reason:
                raise Null(reason)


Input = Callable[[Material], Value]


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One input: its function, its kind, and the features it stands on."""

    compute: Input
    kind: Kind
    features: tuple[str, ...]

    def known(self, material: Material) -> Known:
        """What it is, found once for the scenarios of a dossier if it looks at nothing else."""
        memo = material.dossier.memo
        if self not in memo:
            before, material.looked = material.looked, False
            found = self._known(material)
            if material.looked:
                return found
            memo[self], material.looked = found, before
        return memo[self]  # type: ignore[no-any-return]

    def _known(self, material: Material) -> Known:
        numeric = self.kind == "NUMBER"
        try:
            return Known(self.compute(material), None, numeric, self.features)
        except Null as null:
            return Known(None, null.reason, numeric, self.features)


TABLE: dict[str, Entry] = {}


def given(name: str, kind: Kind = "FLAG", *, features: tuple[str, ...] = ()) -> Callable[[Input], Input]:
    """Declares an input by its function. Raises ValueError for a name that is taken or a function without a docstring."""

    def register(function: Input) -> Input:
        if name in TABLE or not function.__doc__:
            raise ValueError(f"{name} is declared twice, or nothing says what it is")
        TABLE[name] = Entry(function, kind, features)
        return function

    return register


def nobody_says(name: str, kind: Kind, doc: str) -> None:
    """Declares an input that no source serves yet: it is unknown, so an uplift on it is not earned and a rule on it cannot be decided."""

    def unknown(material: Material) -> Value:
        raise Null(MissingReason.NOT_CONNECTED)

    unknown.__doc__ = doc
    given(name, kind)(unknown)
