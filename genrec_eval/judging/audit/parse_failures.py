"""Judgements without a verdict, and what each way of counting them makes of the headline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrec_eval.judging.audit.human import OnUnparsed
from genrec_eval.judging.audit.labels import Joined
from genrec_eval.judging.audit.verdicts import SILENT, Verdicts
from genrec_eval.stats.sums import Measure, mean_of, share_of, undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """The headline under one way of counting judgements without a verdict.

    Attributes
    ----------
    on_unparsed
        ``exclude``, ``tie`` or ``loss``, as in a judge's policy.
    headline
        Pairs: win rate of the models over the others. Scores: the mean; a loss is the lowest score seen.
    accuracy
        Pairs with labels: share of verdicts that the majority of people shares; a loss is a wrong one.
    """

    on_unparsed: str
    headline: Measure
    accuracy: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseFailures:
    """How often there is no verdict.

    Attributes
    ----------
    rates
        Status → share of all judgements that were asked for.
    failed
        Share that was answered without a verdict: unparsed, refused or truncated.
    countings
        The headline under each way of counting those; judgements that never came (api errors) count in
        none.
    """

    rates: dict[str, Measure]
    failed: Measure
    countings: tuple[Counting, ...]


def parse_failures(
    verdicts: Verdicts, joined: Joined | None = None, *, seed: int | None, level: float = 0.95
) -> ParseFailures:
    """Rates by status, and the table of what they do."""
    how: dict = {"seed": seed, "level": level}
    silent = np.isin(verdicts.status, SILENT)
    known = sorted({*map(str, verdicts.status), "ok", "unparsed"})
    return ParseFailures(
        rates={one: share_of(verdicts.status == one, units=verdicts.unit, **how) for one in known},
        failed=share_of(silent, units=verdicts.unit, **how),
        countings=tuple(
            _counting(verdicts, joined, silent, name, how) for name in ("exclude", "tie", "loss")
        ),
    )


def _counting(
    verdicts: Verdicts, joined: Joined | None, silent: np.ndarray, name: str, how: dict
) -> Counting:
    value = verdicts.value.copy()
    headline = None
    if name == "tie" and not verdicts.pairwise:
        headline = undefined("a single score has no tie", level=how["level"])
    elif name != "exclude":
        worst = 0.0 if verdicts.pairwise else float(np.nanmin(value)) if verdicts.judged.any() else np.nan
        value[silent] = 0.5 if name == "tie" else worst
    kept = np.isfinite(value)
    if headline is None:
        bounds = (0.0, 1.0) if verdicts.pairwise else (None, None)
        headline = mean_of(
            value[kept], units=verdicts.unit[kept], bounds=bounds, empty="no judgement has a verdict", **how
        )
    return Counting(on_unparsed=name, headline=headline, accuracy=_accuracy(verdicts, joined, name, how))


def _accuracy(verdicts: Verdicts, joined: Joined | None, name: str, how: dict) -> Measure:
    if joined is None or not verdicts.pairwise:
        return undefined("there are no labels of people on pairs", level=how["level"])
    as_said: dict[str, OnUnparsed] = {"exclude": "exclude", "tie": "tie", "loss": "wrong"}
    return accuracy_of(verdicts, joined, as_said[name], **how)


def accuracy_of(
    verdicts: Verdicts, joined: Joined, on_unparsed: OnUnparsed, *, seed: int | None, level: float = 0.95
) -> Measure:
    """Share of verdicts that the majority of people shares."""
    people = joined.majority
    value = verdicts.value.copy()
    silent = ~verdicts.judged & np.isin(verdicts.status, SILENT)
    value[silent] = {"exclude": np.nan, "tie": 0.5, "wrong": -1.0}[on_unparsed]
    kept = np.isfinite(value) & np.isfinite(people)
    empty = "no verdict is on an item with a majority of people"
    return share_of((value == people)[kept], units=verdicts.unit[kept], seed=seed, level=level, empty=empty)
