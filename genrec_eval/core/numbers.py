"""The one number formatter: digits by the interval, percent for shares, a reason for what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MINUS = "\u2212"
POINTS = "points"
"""Unit of a difference of two shares: percentage points."""
EXACT = "exact"
"""What stands for the spread of a value whose interval is a point."""
_MOST_DECIMALS = 6
_SKEW = 0.35
"""Arms of an interval may differ by this share of the half-width before it is no longer written as ±."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it is shown, in the unit of the column.

    Attributes
    ----------
    value, low, high
        Rounded to the same decimals; ``"—"`` when there is no value or no interval.
    spread
        ``"± 0.011"``, ``"0.001 to 0.023"`` when the arms of the interval differ, or ``"exact"`` when it is a
        point, as for a p-value or a decision.
    unit
        ``"%"``, ``"points"`` for a difference of shares, another unit, or ``""``.
    known
        False when no number may be shown; ``reason`` then says why.
    """

    value: str
    low: str = "—"
    high: str = "—"
    spread: str = ""
    unit: str = ""
    known: bool = True
    reason: str = ""

    @property
    def range(self) -> str:
        """``"0.301 to 0.323"``, or ``"exact"``."""
        if self.spread == EXACT:
            return EXACT
        return f"{self.low} to {self.high}" if self.known else ""

    @property
    def lead(self) -> str:
        """The value, with its unit where no ± follows: ``"31.2"``, ``"0.0 %"``."""
        return self.value if self.spread.startswith("±") else f"{self.value}{self._said}"

    @property
    def tail(self) -> str:
        """What follows :attr:`lead`: ``"± 1.1 %"``, ``"(0.0 to 1.2)"``, ``"(exact)"``."""
        return f"{self.after}{self._said}" if self.spread.startswith("±") else self.after

    @property
    def unheaded(self) -> str:
        """The value and what follows it, for a cell whose head says the unit; ``"—"`` where none is known."""
        return f"{self.value} {self.after}" if self.known else "—"

    @property
    def after(self) -> str:
        """What follows the value under a head that says the unit: ``"± 1.1"``, ``"(0.0 to 1.2)"``."""
        return self.spread if self.spread.startswith("±") else f"({self.spread})"

    @property
    def _said(self) -> str:
        return f" {self.unit}" if self.unit in ("%", POINTS) else ""

    def __str__(self) -> str:
        return f"{self.lead} {self.tail}" if self.known else f"— ({self.reason})"


def decimals(half: float) -> int:
    """Decimals that the half-width ``half`` of an interval justifies.

    Two significant digits of the half-width up to 354, one from 355 on: the rounding rule of the
    Particle Data Group (Review of Particle Physics, introduction, section 5.3).

    >>> decimals(0.0114), decimals(0.0071), decimals(0.097), decimals(3.2), decimals(250)
    (3, 3, 2, 1, 0)
    """
    if half == 0 or not math.isfinite(half):
        return 0
    exponent = math.floor(math.log10(abs(half)))
    lead = abs(half) / 10.0**exponent
    return min(_MOST_DECIMALS, max(0, (1 if lead < 3.55 else 0) - exponent))


def figure(
    value: float | None,
    low: float | None,
    high: float | None,
    *,
    unit: str = "",
    reason: str | None = None,
    difference: bool = False,
    apart: Sequence[float] = (),
) -> Figure:
    """Show a value with its interval; a value without an interval is withheld.

    The one way in which a number is written: ± where both arms of the interval are alike, else both limits.
    A ``difference`` of shares is in percentage points. Digits are added until no limit looks like one of the
    margins ``apart``, in the unit of the value, that it is not; where value and ± would put a limit on the
    other side of a margin, both limits are written.

    >>> str(figure(0.31234, 0.3012, 0.3234))
    '0.312 ± 0.011'
    >>> str(figure(0.31234, 0.3012, 0.3234, unit="share"))
    '31.2 ± 1.1 %'
    >>> str(figure(0.16, 0.12, 0.2, unit="share", difference=True))
    '16 ± 4 points'
    >>> str(figure(0.0, 0.0, 0.012, unit="share"))
    '0.0 % (0.0 to 1.2)'
    >>> str(figure(-0.0451, -0.0994, 0.0076, apart=(-0.1,)))
    '−0.045 ± 0.053'
    >>> str(figure(-0.05, -0.098, 0.01, apart=(-0.1,))), str(figure(0.02, 0.0004, 0.0403, apart=(0.0,)))
    ('−0.050 (−0.098 to 0.010)', '0.0200 (0.0004 to 0.0403)')
    >>> str(figure(None, None, None, reason="no unit could be scored"))
    '— (no unit could be scored)'
    >>> str(figure(1.0, 1.0, 1.0))
    '1 (exact)'
    """
    shown_unit = sign(unit, difference)
    if value is None or not math.isfinite(value):
        return Figure("—", known=False, reason=reason or "no value", unit=shown_unit)
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return Figure("—", known=False, reason=f"no interval: {reason or 'not given'}", unit=shown_unit)
    factor = 100.0 if unit == "share" else 1.0
    value, low, high = value * factor, low * factor, high * factor
    half = (high - low) / 2
    if half <= 0:
        text = exact(value)
        return Figure(text, text, text, EXACT, shown_unit)
    margins = [at * factor for at in apart]
    places = _told_apart((low, high), margins, decimals(half))
    skewed = abs((high - value) - (value - low)) > _SKEW * half
    skewed = skewed or _crossed(value, half, (low, high), margins, places)
    shown_low, shown_high = fixed(low, places), fixed(high, places)
    tiny = float(f"{half:.{places}f}") == 0
    spread = f"± < {10.0**-places:.{places}f}" if tiny else f"± {fixed(half, places)}"
    if skewed and not tiny:
        spread = f"{shown_low} to {shown_high}"
    return Figure(fixed(value, places), shown_low, shown_high, spread, shown_unit)


def _told_apart(limits: Sequence[float], margins: Sequence[float], places: int) -> int:
    """Decimals at which no limit is rounded onto a margin that it is not."""
    while places < _MOST_DECIMALS and any(
        limit != at and fixed(limit, places) == fixed(at, places) for limit in limits for at in margins
    ):
        places += 1
    return places


def _crossed(
    value: float, half: float, limits: Sequence[float], margins: Sequence[float], places: int
) -> bool:
    """Whether value and ±, as they are written, reach a margin that the limits do not, or miss one."""
    around, spread = float(f"{value:.{places}f}"), float(f"{half:.{places}f}")
    ends = (around - spread, around + spread)
    grain = 10.0 ** -(places + 3)
    return any(
        (abs(end - at) <= grain and limit != at) or (end - at) * (limit - at) < 0
        for end, limit in zip(ends, limits, strict=True)
        for at in margins
    )


def sign(unit: str, difference: bool = False) -> str:
    """What a column head says for ``unit``: ``"%"`` for shares, else the unit itself.

    >>> sign("share"), sign("share", difference=True), sign("s")
    ('%', 'points', 's')
    """
    if unit == "share":
        return POINTS if difference else "%"
    return unit


def fixed(value: float, places: int) -> str:
    """Fixed decimals, thousands separated, a true minus and no negative zero.

    >>> fixed(-1234.5678, 1), fixed(-0.0001, 2)
    ('−1,234.6', '0.00')
    """
    text = f"{abs(value):,.{places}f}"
    return f"{MINUS}{text}" if value < 0 and any(digit in "123456789" for digit in text) else text


def exact(value: float) -> str:
    """Up to four significant digits, without trailing zeros.

    >>> exact(0.25), exact(1.0), exact(12345.0), exact(1 / 3)
    ('0.25', '1', '12,345', '0.3333')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "—"
    places = min(_MOST_DECIMALS, max(0, 3 - math.floor(math.log10(abs(value)))))
    text = fixed(value, places)
    return text.rstrip("0").rstrip(".") if "." in text else text


def bound(value: float, unit: str = "", difference: bool = False) -> str:
    """A margin as a person wrote it: ``0.01`` of a share is ``1 %``, of a difference of shares a point.

    >>> bound(0.01, "share"), bound(-0.005), bound(0.05, "share", True), bound(0.01, "share", True)
    ('1 %', '−0.005', '5 points', '1 point')
    """
    if unit != "share":
        return exact(value)
    said = exact(value * 100)
    if difference:
        return f"{said} point" if said.lstrip(MINUS) == "1" else f"{said} {POINTS}"
    return f"{said} %"


def first_digits(value: float, unit: str = "") -> str:
    """A figure of which the first three digits are told.

    >>> first_digits(0.59814, "share"), first_digits(0.5376), first_digits(1.0)
    ('59.8 %', '0.538', '1')
    """
    return bound(float(f"{value:.3g}"), unit)


def side(
    value: float | None,
    low: float | None,
    high: float | None,
    unit: str = "",
    apart: Sequence[float] = (),
) -> str:
    """One side of a paired difference, with the decimals that :func:`figure` gives the difference.

    >>> side(0.31234, -0.031, -0.009), side(0.25, 0.0, 0.0, "share"), side(None, 0.0, 1.0)
    ('0.312', '25 %', '')
    >>> side(0.2512, -0.0994, 0.0076, apart=(-0.1,)), side(0.2512, -0.0999, 0.0076, apart=(-0.1,))
    ('0.251', '0.2512')
    """
    if value is None or not math.isfinite(value):
        return ""
    if low is None or high is None or not math.isfinite(high - low) or high <= low:
        return bound(value, unit)
    factor = 100.0 if unit == "share" else 1.0
    places = _told_apart(
        (low * factor, high * factor), [at * factor for at in apart], decimals((high - low) / 2 * factor)
    )
    text = fixed(value * factor, places)
    return f"{text} %" if unit == "share" else text


def rough(value: float, unit: str = "", difference: bool = False) -> str:
    """What was computed from a power or a guess: two digits.

    >>> rough(0.0213456), rough(0.0213456, "share")
    ('0.021', '2.1 %')
    """
    return bound(float(f"{value:.2g}"), unit, difference)


def count(value: object) -> str:
    """Thousands separated; ``"—"`` when unknown.

    >>> count(1950), count(None)
    ('1,950', '—')
    """
    number = _number(value)
    return "—" if number is None else fixed(number, 0)


def by_reason(counts: Mapping[str, int]) -> str:
    """Counts of what is missing, with the reasons.

    >>> by_reason({"no-scores": 1934, "cold": 2})
    '1,934 no scores, 2 cold'
    """
    return ", ".join(f"{count(n)} {reason.replace('-', ' ')}" for reason, n in counts.items())


def seconds(value: object) -> str:
    """A duration in the unit that reads best.

    >>> seconds(0.0042), seconds(0.25), seconds(4.2), seconds(75), seconds(7300)
    ('4.2 ms', '250 ms', '4.2 s', '1 min 15 s', '2 h 1 min')
    """
    number = _number(value)
    if number is None:
        return "—"
    if number < 1:
        milli = number * 1000
        return f"{milli:.3g} ms" if milli < 999.5 else "1 s"
    if number < 60:
        return f"{number:.3g} s"
    if number < 3600:
        return f"{int(number // 60)} min {int(number % 60)} s"
    return f"{fixed(number // 3600, 0)} h {int(number % 3600 // 60)} min"


def money(value: object) -> str:
    """US dollars; ``"—"`` when unknown.

    >>> money(0.01234), money(12.5), money(0)
    ('$0.0123', '$12.50', '$0')
    """
    number = _number(value)
    if number is None:
        return "—"
    if number == 0:
        return "$0"
    return f"${number:,.2f}" if number >= 1 else f"${number:.3g}"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
