"""What became of a metric, in words with the digits of the report."""

from __future__ import annotations

from genrec_eval.core.numbers import bound, count, figure


def edges(margin: float | None) -> tuple[float, ...]:
    """What the interval of a difference is held against: no difference, and a declared margin."""
    return (0.0,) if margin is None else (0.0, -margin, margin)


def moved(
    who: str, other: str, value: float, low: float, high: float, unit: str, margin: float | None = None
) -> str:
    """What a difference says, candidate minus reference, with the signs that it has everywhere.

    Parameters
    ----------
    who
        As in ``"knn's ndcg@10 for gender=F"``.
    other
        ``"old's"`` where the models have different names, else empty.

    >>> moved("knn's ndcg@10", "", -0.0123, -0.0203, -0.0041, "")
    "knn's ndcg@10 differs by −0.012 (−0.020 to −0.004)"
    >>> moved("new's hit_rate@10", "old's", 0.0123, -0.0041, 0.0287, "share")
    "new's hit_rate@10 differs from old's by 1.2 percentage points (−0.4 to 2.9)"
    """
    shown = figure(value, low, high, unit=unit, apart=edges(margin))
    after = " percentage points" if unit == "share" else f" {unit}" if unit else ""
    if value == 0:
        return f"{who} is the same on average{f' as {other}' if other else ''} ({shown.range}{after})"
    return f"{who} differs{f' from {other}' if other else ''} by {shown.value}{after} ({shown.range})"


def amount(value: float, unit: str) -> str:
    """A margin or an effect between two values of a metric.

    >>> amount(0.01, "share"), amount(0.02, ""), amount(0.0123456, "share")
    ('1 percentage point', '0.02', '1.235 percentage points')
    """
    if unit == "share":
        points = bound(value * 100)
        return f"{points} percentage point{'' if points == '1' else 's'}"
    return f"{bound(value)}{f' {unit}' if unit else ''}"


def effect(value: float, unit: str) -> str:
    """A computed effect with two digits.

    >>> effect(0.012345, ""), effect(0.012345, "share")
    ('0.012', '1.2 percentage points')
    """
    return amount(float(f"{value:.2g}"), unit)


def p_words(p: float) -> str:
    """A p-value in a sentence.

    >>> p_words(0.00004), p_words(0.0312), p_words(1.0)
    ('p < 0.001', 'p 0.031', 'p 1')
    """
    return "p < 0.001" if p < 0.001 else f"p {p:.2g}" if p >= 0.1 else f"p {p:.3f}"


def units_words(needed: int) -> str:
    """About so many.

    >>> units_words(801), units_words(20_321), units_words(2_345_678)
    ('about 810', 'about 21,000', 'about 2,400,000')
    """
    step = 10 ** max(0, len(str(needed)) - 2)
    return f"about {count(-(-needed // step) * step)}"


def share_words(part: int, whole: int) -> str:
    """Cut, never rounded up to all.

    >>> share_words(1_933, 1_934), share_words(7, 10)
    ('99.9 %', '70 %')
    """
    tenths = 1000 * part // max(whole, 1)
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"
