"""A difference, its interval and its adjusted p to what became of the metric."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import ndtri

from genrec_eval.audit.comparing.types import Change
from genrec_eval.audit.comparing.words import amount, effect, moved, p_words, units_words
from genrec_eval.core.numbers import count
from genrec_eval.protocol.results import Direction
from genrec_eval.stats.intervals import Interval
from genrec_eval.stats.power import units_needed

_MOST_NEEDED = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A difference as it is decided.

    Attributes
    ----------
    who, other
        See :func:`~genrec_eval.audit.comparing.words.moved`.
    same
        Whether no unit with both scores differs.
    one_sided
        Where more units than the error budget allows have a score in one of the runs only: so many, else 0.
    unanswered
        Why the answers say neither better nor worse; None where enough came.
    tests
        How many are adjusted together.
    """

    who: str
    other: str
    direction: Direction
    unit: str
    interval: Interval
    same: bool
    one_sided: int
    unanswered: str | None
    p_adjusted: float | None
    tests: int
    detectable: float | None
    margin: float | None


def decide(asked: Question) -> tuple[Change, str, int | None]:
    """What became of it, why in words, and about how many units would decide an inconclusive one.

    A declared margin comes first: a change inside it is none that matters, however surely it is there.
    """
    found = asked.interval
    if found.n == 0 or found.value is None:
        return Change.NOT_COMPARED, f"{asked.who} has no value in both runs: {found.reason}", None
    if asked.unanswered is not None:
        return Change.INCONCLUSIVE, asked.unanswered, None
    if asked.same:
        units = f"{count(found.n)} unit{'' if found.n == 1 else 's'}"
        said = f"{asked.who} is identical for every one of {units}"
        if asked.one_sided:
            return Change.INCONCLUSIVE, f"{said}; {count(asked.one_sided)} have a score in one run only", None
        return Change.UNCHANGED, said, None
    if found.low is None or found.high is None:
        return Change.INCONCLUSIVE, f"{asked.who} differs, but has no interval: {found.reason}", None
    said = moved(asked.who, asked.other, found.value, found.low, found.high, asked.unit, asked.margin)
    if asked.margin is not None and -asked.margin <= found.low and found.high <= asked.margin:
        return Change.EQUIVALENT, f"{said}, inside the margin of {amount(asked.margin, asked.unit)}", None
    adjusted = asked.p_adjusted
    if adjusted is not None and adjusted <= 1 - found.level:
        among = f"adjusted {p_words(adjusted)}" if asked.tests > 1 else p_words(adjusted)
        if asked.direction == "none":
            return Change.DIFFERENT, f"{said}, which is neither better nor worse ({among})", None
        better = (found.value > 0) == (asked.direction == "higher")
        return (
            Change.BETTER if better else Change.WORSE,
            f"{said}, which is {'better' if better else 'worse'} ({among})",
            None,
        )
    return Change.INCONCLUSIVE, *_open(asked, said)


_FAR = 100
"""So many times the units at hand are nothing that anybody will ask."""


def _open(asked: Question, said: str) -> tuple[str, int | None]:
    found = asked.interval
    parts = [f"{said}, which leaves open whether it changed"]
    if found.p is not None and found.p <= 1 - found.level:
        alone = f"which would tell on its own ({p_words(found.p)})"
        parts = [f"{said}, {alone} but not among {count(asked.tests)} tests"]
    if asked.detectable:
        least = effect(asked.detectable, asked.unit)
        parts.append(f"{count(found.n)} units show a change of {least} or more in 80 % of runs")
    needed = _needed(asked)
    if needed is not None:
        if needed > _FAR * found.n:
            parts.append(
                f"far more units than these would be needed to decide ({units_words(needed)},"
                " if the difference stays)"
            )
        else:
            parts.append(f"{units_words(needed)} would decide, if the difference stays")
    return "; ".join(parts), needed


def _needed(asked: Question) -> int | None:
    """Units that would settle it one way or the other, whichever takes fewer."""
    found = asked.interval
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    if found.method in ("jackknife", "constant"):
        return None  # what a run covers grows with its units, so its value would not stay
    alpha = 1 - found.level
    wider = float(ndtri(1 - alpha / (2 * max(asked.tests, 1))) / ndtri(1 - alpha / 2))
    near = found.value - found.low if found.value > 0 else found.high - found.value
    wanted = [units_needed(found.value, 0.0, near * wider, found.n)]
    if asked.margin is not None and abs(found.value) < asked.margin:
        far = found.high - found.value if found.value > 0 else found.value - found.low
        wanted.append(units_needed(abs(found.value), asked.margin, far, found.n))
    known = [n for n in wanted if n is not None and found.n < n <= _MOST_NEEDED]
    return min(known, default=None)
