"""Money is Decimal yuan; a float never touches it (domain brief, rules G1, G2, G9)."""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation

CENT = Decimal("0.01")
BASIS_POINT = Decimal("0.0001")
ZERO = Decimal(0)


def yuan(text: str) -> Decimal:
    """Reads a decimal string in yuan. Raises ValueError for anything else, floats included."""
    try:
        value = Decimal(text)
    except (InvalidOperation, TypeError):
        raise ValueError(f"not an amount of money: {type(text).__name__}") from None
    if not value.is_finite():
        raise ValueError("not a finite amount of money")
    return value


def fen(value: str | int) -> Decimal:
    """Reads an amount in fen (integer or integer text) as yuan. Raises ValueError."""
    return (Decimal(int(value)) / 100).quantize(CENT)


def round_money(value: Decimal) -> Decimal:
    """Half up to the cent, once, when a value is stored or shown."""
    return value.quantize(CENT, ROUND_HALF_UP)


def round_ratio(value: Decimal) -> Decimal:
    """Half up to four decimals, once, when a value is stored or shown."""
    return value.quantize(BASIS_POINT, ROUND_HALF_UP)


def floor_to(value: Decimal, step: int) -> Decimal:
    """Rounds down to a multiple of ``step`` yuan (limits: 1,000)."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step
