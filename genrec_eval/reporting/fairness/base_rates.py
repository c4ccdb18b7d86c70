"""How groups of users differ before anything is recommended: base rates, from the cases alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.grouped.by_group import LEAST
from genrec_eval.reporting.page.against_rest import LEVEL

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.metrics.base import Bool
    from genrec_eval.metrics.catalogue import Catalogue
    from genrec_eval.metrics.lists import GroupCodes
    from genrec_eval.protocol.arrays import Float64, Int64


@dataclass(frozen=True, slots=True)
class Quantity:
    """What every user has a number of.

    Attributes
    ----------
    key
        ``("history",)``, or what a criterion conditions on: ``("due", outcome, items)``,
        ``("wanted", by, group)``.
    unit
        ``"share"`` or empty.
    values, known
        float64[n] and bool[n], one a user.
    """

    key: tuple[str, ...]
    name: str
    unit: str
    values: Float64
    known: Bool


@dataclass(frozen=True, slots=True)
class BaseRate:
    """One quantity over the groups of one attribute.

    Attributes
    ----------
    means
        (value, low, high) of each group that is large enough.
    range
        Value, low and high of the highest mean less the lowest; None where there is no interval.
    p
        That all groups have the same mean; adjusted with all others of the panel by Holm.
    """

    quantity: Quantity
    by: str
    groups: tuple[str, ...]
    counts: tuple[int, ...]
    means: tuple[tuple[float, float, float], ...]
    range: tuple[float, float, float] | None
    p: float | None
    adjusted: float | None = None

    @property
    def differs(self) -> bool:
        """Whether the groups are told apart."""
        return self.range is not None and self.range[1] > 0 and (self.adjusted or 0.0) < LEVEL


class NotRanked(UsageError):
    """A scenario of texts or ratings, whose users have no outcome that is due to them."""


class Users:
    """The users of a scenario, each once: their groups, histories and held-out items.

    Raises
    ------
    UsageError
        When the tables of the run are not there.
    """

    def __init__(self, directory: Path, scenario: str) -> None:
        from genrec_eval.engine.rundir import RunDirectory
        from genrec_eval.scenarios.ranking.catalogue import catalogue_of

        run = RunDirectory.open(directory)
        context = run.context(scenario)
        try:
            items = context["items"]
        except (KeyError, UsageError):
            raise UsageError(f"scenario '{scenario}' keeps no table of items") from None
        if "train_count" not in items.column_names:
            raise NotRanked(f"scenario '{scenario}' ranks nothing: its users have no rate of hits")
        self.cases = _first(run.cases(scenario))
        self.catalogue: Catalogue = catalogue_of(items)

    def groups(self, by: str) -> GroupCodes | None:
        """The group of each user; None where the cases have no such column."""
        from genrec_eval.scenarios.ranking.groups import named_groups

        name = f"group.{by}"
        return named_groups(self.cases.column(name)) if name in self.cases.column_names else None

    def quantities(
        self, outcomes: Sequence[tuple[str, str]], wanted: Sequence[tuple[str, str]]
    ) -> list[Quantity]:
        """What can be said of every user, with the outcomes and groups of items that criteria are about."""
        from genrec_eval.scenarios.ranking.records import ragged

        found: list[Quantity] = []
        every = np.ones(len(self.cases), bool)
        names = self.cases.column_names
        if "history" in names:
            history = ragged(self.cases.column("history"))
            lengths = history.lengths.astype(np.float64)
            found.append(Quantity(("history",), "items in the history", "", lengths, every))
            counts = self.catalogue.train_counts.astype(np.float64)
            popular = _means(history, counts / max(counts.max(initial=0.0), 1.0))
            name = "popularity of the history, % of the most popular item"
            found.append(Quantity(("popularity",), name, "share", popular, lengths > 0))
        if "truth" in names:
            truth = ragged(self.cases.column("truth"))
            has = truth.lengths > 0
            if not has.all():
                values = has.astype(np.float64)
                found.append(Quantity(("tested",), "users with a held-out item, %", "share", values, every))
            amount = truth.lengths.astype(np.float64)
            found.append(Quantity(("truth",), "held-out items of those who have any", "", amount, has))
            found += [one for some in wanted if (one := self._wanted(truth, *some)) is not None]
            found += [one for some in outcomes if (one := self._due(truth, *some)) is not None]
        return found

    def _due(self, truth: Any, outcome: str, items: str) -> Quantity | None:
        from genrec_eval.metrics.grouped.parity import kind_of

        if outcome == "hit":
            return None  # due to everybody with a held-out item
        kind = kind_of(self.catalogue, outcome, items, "base rate")
        due = _means(truth, kind[: len(self.catalogue)].astype(np.float64)) > 0
        said = "the long tail" if outcome == "long_tail" else items
        name = f"users who went on to choose {said}, %"
        return Quantity(("due", outcome, items), name, "share", due.astype(np.float64), truth.lengths > 0)

    def _wanted(self, truth: Any, by: str, group: str) -> Quantity | None:
        from genrec_eval.metrics.item_groups import item_groups

        groups = item_groups(self.catalogue, by, "base rate")
        if group not in groups.names:
            return None
        known = _means(truth, groups.known.astype(np.float64))
        mine = _means(truth, groups.part_of(list(groups.names).index(group)))
        share = np.divide(mine, known, out=np.zeros(len(mine)), where=known > 0)
        return Quantity(
            ("wanted", by, group), f"held-out items that are {group}, %", "share", share, known > 0
        )


def rated(quantity: Quantity, by: str, groups: GroupCodes, level: float) -> tuple[BaseRate, dict[str, int]]:
    """A quantity over groups, and the users of those that are too small to say."""
    from genrec_eval.stats.fits import Student
    from genrec_eval.stats.ranges import range_of
    from genrec_eval.stats.rates import wilson

    names, means, counts, small = [], [], [], {}
    columns: list[Float64] = []
    binary = bool(np.isin(quantity.values[quantity.known], (0.0, 1.0)).all()) and quantity.unit == "share"
    for code, name in enumerate(groups.names):
        mine = quantity.known & (groups.codes == code)
        values = quantity.values[mine]
        if len(values) < LEAST:
            small[str(name)] = len(values)
            continue
        mean = float(values.mean())
        if binary:
            low, high = wilson(float(values.sum()), len(values), level)
        else:
            error = float(values.std(ddof=1)) / len(values) ** 0.5
            low, high = Student(mean, error, len(values) - 1).ends(level)
        names.append(str(name))
        counts.append(len(values))
        means.append((mean, low, high))
        columns.append(mine.astype(np.float64))
    found, p = None, None
    if len(names) > 1:
        ones = np.stack(columns, axis=1)
        used = ones.any(axis=1)
        ones = ones[used]
        rows = np.concatenate([ones * quantity.values[used, None], ones], axis=1)
        fit = range_of(rows, (0.0, 1.0) if quantity.unit == "share" else (0.0, None))
        if not isinstance(fit, str):
            low, high = fit.ends(level)
            found, p = (float(fit.value), low, high), min(1.0, 2 * fit.tails(0.0)[0])
    made = BaseRate(quantity, by, tuple(names), tuple(counts), tuple(means), found, p)
    return made, small


def adjusted(rates: Sequence[BaseRate]) -> list[BaseRate]:
    """The same with p adjusted over all of them (Holm)."""
    from dataclasses import replace

    from genrec_eval.stats.multiplicity import holm

    given = [rate.p for rate in rates if rate.p is not None]
    ps = iter(holm(given).tolist() if given else [])
    return [rate if rate.p is None else replace(rate, adjusted=next(ps)) for rate in rates]


def _first(cases: pa.Table) -> pa.Table:
    """The first case of each unit."""
    import pyarrow.compute as pc

    units = cases.column("unit").combine_chunks()
    ids = pc.unique(units)
    return cases if len(ids) == len(units) else cases.take(pc.index_in(ids, value_set=units))


def _means(lists: Any, of_items: Float64) -> Float64:
    """float64[n], mean of a number of each item over each list; 0 for empty ones."""
    n = len(lists.lengths)
    rows: Int64 = np.repeat(np.arange(n), lists.lengths)
    inside = (lists.values >= 0) & (lists.values < len(of_items))
    values = of_items[np.where(inside, lists.values, 0)] * inside
    sums = np.bincount(rows, weights=values, minlength=n)
    found: Float64 = np.divide(sums, lists.lengths, out=np.zeros(n), where=lists.lengths > 0)
    return found
