"""Who is pre-screened."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScreenPortfolio:
    """``document`` is JSON."""

    document: str
