"""Panels: how far judges agree among themselves, and what each of them changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.audit.labels import majority_of
from genrec_eval.judging.audit.verdicts import Float64, codes_of, questions, verdicts_of
from genrec_eval.stats.krippendorff import krippendorff_alpha
from genrec_eval.stats.sums import Measure, mean_of, share_of

_KEYS = ("scenario", "case", "model", "other", "repeat", "step", "claim", "order", "sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One judge of a panel.

    Attributes
    ----------
    agreement
        Pairs: share of its verdicts that are those of the majority of the others. Scores: None.
    distance
        Scores: mean distance to the mean of the others. Pairs: None.
    without
        Headline (win rate, mean score) of the panel without this judge.
    """

    judge: str
    agreement: Measure | None
    distance: Measure | None
    without: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Several judges on the same questions.

    Attributes
    ----------
    alpha
        Krippendorff's alpha over judges: nominal for pairs, interval for scores.
    headline
        Win rate of the majority, or mean of the mean scores.
    """

    judges: tuple[str, ...]
    alpha: Measure
    headline: Measure
    members: tuple[Member, ...]


def panel(
    judgements: pa.Table,
    *,
    judges: Sequence[str] | None = None,
    rubric: str | None = None,
    seed: int | None,
    level: float = 0.95,
) -> Panel:
    """Agreement of judges that were asked the same.

    Raises
    ------
    UsageError
        When there are fewer than two judges, or they share no question.
    """
    names = tuple(dict.fromkeys(one[0] for one in questions(judgements) if rubric in (None, one[2])))
    names = tuple(judges) if judges is not None else names
    if len(names) < 2:
        raise UsageError(
            f"a panel needs at least two judges; the judgements are of {', '.join(names) or 'none'}"
        )
    each = [verdicts_of(judgements, judge=name, rubric=rubric) for name in names]
    kinds = {one.task for one in each}
    if len(kinds) > 1:
        raise UsageError(
            f"the judges of a panel answer one kind of question, not {' and '.join(sorted(kinds))}"
        )
    pairwise = each[0].pairwise
    columns = [
        pa.chunked_array(
            [chunk for one in each for chunk in one.table[name].cast(pa.string()).chunks], pa.string()
        )
        for name in _KEYS
    ]
    codes = codes_of(columns)
    ids = codes_of([pa.chunked_array([c for one in each for c in one.table["unit"].chunks], pa.string())])
    count = int(codes.max(initial=-1)) + 1
    values, unit, start = np.full((count, len(each)), np.nan), np.zeros(count, np.int64), 0
    for place, one in enumerate(each):
        here = slice(start, start + len(one))
        start = here.stop
        values[codes[here], place] = one.value
        unit[codes[here]] = ids[here]
    if not (np.isfinite(values).sum(axis=1) > 1).any():
        raise UsageError(f"judges {', '.join(names)} have no verdict on the same question")
    how: dict = {"seed": seed, "level": level}
    return Panel(
        judges=names,
        alpha=krippendorff_alpha(values, scale="nominal" if pairwise else "interval", units=unit, **how),
        headline=_headline(values, unit, pairwise, how),
        members=tuple(_member(values, unit, place, name, pairwise, how) for place, name in enumerate(names)),
    )


def _member(values: Float64, unit: np.ndarray, place: int, name: str, pairwise: bool, how: dict) -> Member:
    rest = np.delete(values, place, axis=1)
    others = _joint(rest, pairwise)
    own = values[:, place]
    both = np.isfinite(own) & np.isfinite(others)
    empty = "no question has a verdict of this judge and of the others"
    agreement = distance = None
    if pairwise:
        agreement = share_of((own == others)[both], units=unit[both], empty=empty, **how)
    else:
        gaps = np.abs(own - others)[both]
        distance = mean_of(gaps, units=unit[both], bounds=(0.0, None), empty=empty, **how)
    return Member(
        judge=name, agreement=agreement, distance=distance, without=_headline(rest, unit, pairwise, how)
    )


def _joint(values: Float64, pairwise: bool) -> Float64:
    """The panel's verdict: the majority, a tie where there is none; the mean of scores."""
    counts = np.isfinite(values).sum(axis=1)
    if pairwise:
        found = majority_of(values)
        return np.where(np.isnan(found) & (counts > 0), 0.5, found)
    return np.where(counts > 0, np.nansum(values, axis=1) / np.maximum(counts, 1), np.nan)


def _headline(values: Float64, unit: np.ndarray, pairwise: bool, how: dict) -> Measure:
    joint = _joint(values, pairwise)
    kept = np.isfinite(joint)
    bounds = (0.0, 1.0) if pairwise else (None, None)
    return mean_of(joint[kept], units=unit[kept], bounds=bounds, **how)
