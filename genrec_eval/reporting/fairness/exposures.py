"""What groups of items get of the exposure, read from the stored scores of the metrics that compare it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.grouped.by_group import LEAST
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results, mapping

if TYPE_CHECKING:
    from genrec_eval.audit.score import StoredScores
    from genrec_eval.metrics.grouped.exposure_shares import GroupShares, Moments
    from genrec_eval.metrics.item_groups import ItemGroups
    from genrec_eval.protocol.arrays import Float64
    from genrec_eval.stats.extremes import Shares

SHARED = ("exposure_gap", "exposure_ratio", "exposure_divergence", "attention_per_merit")
"""Metrics that store what each group gets and what is due to it."""
BESIDE = (*SHARED, "pairwise_accuracy_gap")
MOST = 2
"""Comparisons that are drawn; the others are named."""


@dataclass(frozen=True, slots=True)
class View:
    """One way to compare exposure.

    Attributes
    ----------
    source
        The metric whose stored sums are read.
    metrics
        Those of the scenario that rest on the same shares, or on the same groups where they need none.
    """

    by: str
    largest: int
    target: str
    weights: str
    k: int
    source: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is stored of one model.

    Attributes
    ----------
    shares
        None where there are none to compare; ``reason`` then says why.
    slices
        Group of users → value → users that are scored, and the shares of one group of items with p of its
        difference from the other users, None where they are fewer than :data:`LEAST`.
    """

    shares: GroupShares | None
    reason: str
    n: int
    excluded: Mapping[str, int]
    slices: Mapping[str, Mapping[str, Part]]


@dataclass(frozen=True, slots=True)
class Part:
    """One group of users.

    Attributes
    ----------
    apart, error
        Exposure share of each group of items less that of all other users of known group, and its standard
        error; None where either are too few.
    """

    n: int
    shares: GroupShares | None
    apart: Float64 | None = None
    error: Float64 | None = None


def views(results: Results, scenario: str) -> list[View]:
    """Ways in which a scenario compares exposure, those that claims are about first."""
    found: dict[tuple[Any, ...], list[str]] = {}
    claimed = {v.metric for v in results.verdicts if v.gate and v.scenario == scenario}
    for metric in results.metrics(scenario):
        definition = results.definition(metric)
        given = mapping(definition.get("parameters"))
        if definition.get("name") in SHARED and given:
            target = str(given.get("target", "relevance"))
            key = (
                str(given.get("by")),
                given.get("largest"),
                target,
                given.get("weights"),
                definition.get("k"),
            )
            found.setdefault(key, []).append(metric)
    merit = {key for key, metrics in found.items() if _names(results, metrics) == {"attention_per_merit"}}
    # what is due is not what it is about: it stands beside another drawing where there is one
    alone = {key for key in merit if any(_alike(key, other) for other in found if other not in merit)}
    kept = sorted((key for key in found if key not in alone), key=lambda key: claimed.isdisjoint(found[key]))
    made = []
    for key in kept:
        mine = list(found[key])
        mine += [metric for other in alone if _alike(key, other) for metric in found[other]]
        for metric in results.metrics(scenario):
            given = mapping(results.definition(metric).get("parameters"))
            pairwise = results.definition(metric).get("name") == "pairwise_accuracy_gap"
            if pairwise and (given.get("by"), given.get("largest")) == key[:2]:
                mine.append(metric)
        by, largest, target, weights, k = key
        source = min(found[key], key=lambda m: SHARED.index(results.definition(m)["name"]))
        made.append(View(by, int(largest or 0), target, str(weights), int(k or 0), source, tuple(mine)))
    return made


def _names(results: Results, metrics: Sequence[str]) -> set[str]:
    return {str(results.definition(metric).get("name")) for metric in metrics}


def _alike(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return (*one[:2], *one[3:]) == (*other[:2], *other[3:])


class Stored:
    """The tables of a run that tell who was shown.

    Attributes
    ----------
    missing
        Why nothing can be read; empty where it can.
    """

    def __init__(self, material: Material, scenario: str, scores: StoredScores | None) -> None:
        from genrec_eval.audit.estimate import UnitSlices
        from genrec_eval.engine.rundir import RunDirectory

        self.material, self.scenario, self.missing = material, scenario, ""
        path = Path(material.directory)
        try:
            run = RunDirectory.open(path)
            self._units = UnitSlices.of(run.cases(scenario))
            self._items = run.context(scenario)["items"]
            if scores is None:
                raise UsageError(f"{path} keeps no scores")
            self._scores = scores
        except (UsageError, KeyError, OSError):
            self.missing = "the tables of the run do not lie beside its estimates, so no bars can be drawn"

    def groups(self, view: View) -> ItemGroups:
        """The groups of items that are compared, in the order of the stored sums."""
        from genrec_eval.metrics.item_groups import item_groups
        from genrec_eval.scenarios.ranking.catalogue import catalogue_of

        found = item_groups(catalogue_of(self._items), view.by, view.source)
        return found.present(view.largest, view.source, view.by)

    def seen(self, view: View, model: str, width: int, level: float) -> Seen | None:
        """What a model's lists give ``width`` groups; None where it has no scores."""
        from genrec_eval.metrics.grouped.exposure_shares import Moments, group_shares

        read = self._scores.get(model, self.scenario, view.source)
        if read is None:
            return None
        scores = self._units.place(*read)
        excluded = {name: int(mask.sum()) for name, mask in scores.reasons.items() if mask.any()}
        n = int(scores.scored.sum())
        if scores.sums is None or scores.sums.shape[1] != 2 * width:
            return Seen(None, "no group of items to compare", n, excluded, {})
        relevance = view.target == "relevance"
        whole = group_shares(scores.sums[scores.scored], relevance, level)
        if whole is None:
            return Seen(None, "fewer than two users", n, excluded, {})
        columns: dict[str, dict[str, tuple[GroupShares | None, Moments]]] = {}
        for name, mask in self._units.slices.items():
            group, _, value = name.partition("=")
            if name != "all":
                mine = scores.sums[mask & scores.scored]
                shares = group_shares(mine, relevance, level) if len(mine) >= LEAST else None
                columns.setdefault(group, {})[value] = shares, Moments.of(mine[:, :width], whole.share)
        slices = {group: by_users(values) for group, values in columns.items()}
        return Seen(whole, "", n, excluded, slices)


def by_users(values: Mapping[str, tuple[GroupShares | None, Moments]]) -> dict[str, Part]:
    """Each value of a group of users beside all users of other known values, from what each adds.

    Parameters
    ----------
    values
        Value → shares of its users, None where they are too few, and their moments.
    """
    import numpy as np

    found = {}
    for value, (shares, mine) in values.items():
        found[value] = Part(mine.n, shares)
        others = [moments for name, (_, moments) in values.items() if name != value and moments.n]
        if shares is None or sum(one.n for one in others) < LEAST:
            continue
        rest = reduce(add, others)
        if rest.exposed.any():
            own, theirs = mine.known(), rest.known()
            error = np.hypot(_spread(own), _spread(theirs))
            found[value] = Part(mine.n, shares, own.values - theirs.values, error)
    return found


def _spread(known: Shares) -> Float64:
    """Standard errors; where no user moves a share, that of a rate with two users more of either kind."""
    import numpy as np

    n = known.n + 4
    rate = (known.values * known.n + 2) / n
    return np.where(known.errors > 0, known.errors, np.sqrt(rate * (1 - rate) / n))
