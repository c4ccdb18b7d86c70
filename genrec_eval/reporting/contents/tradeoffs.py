"""Trade-offs in words, from paired differences alone, and which criteria were claimed and which were not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from genrec_eval.core.numbers import figure
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.compare import broken, differences, is_validity, stays_clear
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.text import listing, plural

MOST_SPELLED = 12
"""Trade-offs that are told at once; the others fold."""
_MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Trade:
    """Two models of which neither is better in everything.

    Attributes
    ----------
    gains
        Where ``first`` is better: (title, by how much).
    losses
        Where ``second`` is.
    open
        Metrics in which they could not be told apart.
    """

    scenario: str
    first: str
    second: str
    gains: tuple[tuple[str, str], ...]
    losses: tuple[tuple[str, str], ...]
    open: int
    flawed: bool

    @property
    def sentence(self) -> str:
        """What a choice between them costs."""
        return (
            f"{self.first} is better than {self.second} on {_named(self.gains)};"
            f" {self.second} is better on {_named(self.losses)}"
            + (f"; {plural(self.open, 'metric')} could not tell them apart." if self.open else ".")
        )


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which metrics of a scenario were put to a claim, and which were only measured."""

    scenario: str
    claimed: tuple[str, ...]
    measured: tuple[str, ...]
    undirected: tuple[str, ...]
    """Measured, and without a better side."""


@dataclass(frozen=True, slots=True)
class Traded:
    """Everything on trade-offs."""

    trades: tuple[Trade, ...]
    dominated: tuple[str, ...]
    excluded: tuple[str, ...]
    """Where the better model of a pair is told by a check that both pass: no gain, and yet a difference."""
    criteria: tuple[Criteria, ...]
    selection: str
    compared: int

    @property
    def folded(self) -> tuple[Trade, ...]:
        """Those that fold."""
        return self.trades[MOST_SPELLED:]


def tradeoffs(on: Ground) -> Traded:
    """Compare every pair of models that the run compared."""
    trades: list[Trade] = []
    dominated: list[str] = []
    excluded: list[str] = []
    compared = 0
    several = len(on.results.scenarios()) > 1
    for scenario in on.results.scenarios():
        pairs: dict[frozenset[str], list[Estimate]] = {}
        for row in differences(on.results, scenario):
            pairs.setdefault(frozenset((row.model, str(row.baseline))), []).append(row)
        below: dict[tuple[str, str], list[str]] = {}
        where = f" in {scenario}" if several else ""
        for first, second in combinations(on.results.models(scenario), 2):
            rows = pairs.get(frozenset((first, second)), [])
            if not rows:
                continue
            compared += 1
            gains, losses, undecided, spared = _sides(on.results, scenario, rows, first)
            for title, is_first, lower in spared:
                better, other = (first, second) if is_first else (second, first)
                size = "lower" if lower else "higher"
                excluded.append(f"{better} has the {size} {title}{where}, and {other} passes that check too")
            flawed = first in on.flaws or second in on.flaws
            if gains and losses:
                trades.append(Trade(scenario, first, second, gains, losses, undecided, flawed))
            elif gains or losses:
                winner, loser = (first, second) if gains else (second, first)
                named = _named(tuple((title, "") for title, _ in gains or losses))
                below.setdefault((loser, named), []).append(winner)
        for (loser, named), winners in below.items():
            said = f"{loser} is worse than {few(winners)} on {named}{where}"
            dominated.append(f"{said}, and better on none of the metrics meant here.")
    trades.sort(key=lambda trade: trade.flawed)  # a planted flaw is no choice that anybody has
    return Traded(
        tuple(trades),
        tuple(dominated),
        tuple(dict.fromkeys(excluded)),
        tuple(_criteria(on)),
        on.audit.selection or "",
        compared,
    )


Sides = tuple[
    tuple[tuple[str, str], ...], tuple[tuple[str, str], ...], int, tuple[tuple[str, bool, bool], ...]
]


def _sides(results: Results, scenario: str, rows: list[Estimate], first: str) -> Sides:
    """Where the first is better, where the other is, how many metrics left it open, and the checks left out.

    Of a check that is left out: its title, whether the first is better, and whether lower is.
    """
    gains: list[tuple[str, str]] = []
    losses: list[tuple[str, str]] = []
    spared: list[tuple[str, bool, bool]] = []
    undecided = 0
    for row in rows:
        sign = {"higher": 1, "lower": -1}.get(results.direction(row.metric), 0)
        if not sign:
            continue
        if not stays_clear(row) or row.value is None or row.low is None or row.high is None:
            undecided += 1
            continue
        better = (row.value * sign > 0) == (row.model == first)
        worse = str(row.baseline) if row.value * sign > 0 else row.model
        if is_validity(row.metric) and worse not in broken(results, scenario, row.metric):
            spared.append((results.title(row.metric), better, sign < 0))
            continue  # both lists are sound: nothing is gained
        unit = results.unit(row.metric)
        size = sorted((abs(row.low), abs(row.high)))
        shown = figure(abs(row.value), *size, unit=unit) if row.low * row.high > 0 else None
        told = (results.title(row.metric), str(shown).replace(" ", "\u00a0") if shown else "")  # one figure
        (gains if better else losses).append(told)
    return tuple(gains), tuple(losses), undecided, tuple(spared)


def _named(found: tuple[tuple[str, str], ...]) -> str:
    said = [f"{title} by {size}" if size else title for title, size in found[:_MOST_NAMED]]
    if len(found) > _MOST_NAMED:
        said.append(f"{len(found) - _MOST_NAMED} more")
    return listing(said)


def _criteria(on: Ground) -> list[Criteria]:
    held = {(row.scenario, row.metric) for row in on.results.verdicts if row.gate}
    rules = mapping(on.suite.get("gate")).get("rules") or ()
    held |= {(str(rule.get("scenario")), str(rule.get("metric"))) for rule in rules if isinstance(rule, dict)}
    found = []
    for scenario in on.results.scenarios():
        metrics = on.results.metrics(scenario)
        rest = [metric for metric in metrics if (scenario, metric) not in held]
        sided = [metric for metric in rest if on.results.direction(metric) != "none"]
        title = on.results.title
        found.append(
            Criteria(
                scenario,
                tuple(title(metric) for metric in metrics if metric not in rest),
                tuple(title(metric) for metric in sided),
                tuple(title(metric) for metric in rest if metric not in sided),
            )
        )
    return [row for row in found if row.claimed or row.measured or row.undirected]
