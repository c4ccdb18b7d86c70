"""What the panels on fairness hold back: small cells, unknown groups, and what was not tested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genrec_eval.audit.estimate import MIN_SLICE
from genrec_eval.core.numbers import count
from genrec_eval.metrics.grouped.by_group import LEAST
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.fairness.compared import (
    KINDS,
    MEANS,
    Compared,
    compared,
    crossed,
    declared,
)
from genrec_eval.reporting.fairness.held import Held
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.text import line, listing, plural

PARITY = ("demographic_parity", "equal_opportunity", "equalised_odds")
SERVICE = ("answer_rate", "refusal_rate", "parse_failure_rate", "latency")
_DISCLOSED = "What it changes when an attribute is disclosed"
Gap = tuple[str, str]
"""What, and why."""


@dataclass(frozen=True, slots=True)
class Small:
    """Groups that are too small for something.

    Attributes
    ----------
    cells
        (group, its units).
    rule
        What they are left out of, and below how many units.
    """

    attribute: str
    cells: tuple[tuple[str, int], ...]
    rule: str


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The panel.

    Attributes
    ----------
    small
        Groups held back, by attribute and rule.
    unknown
        (attribute, units of unknown group, all units).
    constant
        What cannot be compared for want of a second group.
    untested
        What of fairness was not tested here, and why.
    """

    finding: str
    small: tuple[Small, ...]
    unknown: tuple[tuple[str, int, int], ...]
    constant: tuple[str, ...]
    untested: tuple[Gap, ...]


def suppressed(material: Material, scenario: str) -> Suppressed | None:
    """What is held back in a scenario; None where it has nothing that was run."""
    results = material.results
    if not results.metrics(scenario):
        return None
    figures = compared(results, scenario)
    held = Held.read(material.directory, scenario)
    groups = {} if held is None else held.groups
    sizes = {name: np.bincount(one.codes + 1, minlength=len(one.names) + 1) for name, one in groups.items()}
    small: list[Small] = []
    unknown, constant = [], []
    for name, one in groups.items():
        counts = dict(zip(one.names, sizes[name][1:].tolist(), strict=True))
        whole = int(sizes[name].sum())
        if sizes[name][0]:
            unknown.append((name, int(sizes[name][0]), whole))
        if len(counts) < 2:
            who = f"all known are {line(next(iter(counts)), 60)}" if counts else "no value is known"
            constant.append(f"{line(name, 60)}: {who}, so that there is nothing to compare")
        else:
            small += _small(results, scenario, name, counts, figures)
    untested = _untested(material, scenario, list(groups), figures)
    return Suppressed(
        _finding(list(groups), small, unknown, untested, results, scenario),
        tuple(small),
        tuple(unknown),
        tuple(constant),
        tuple(untested),
    )


def _small(
    results: Results, scenario: str, name: str, counts: Mapping[str, int], figures: Sequence[Compared]
) -> list[Small]:
    """The rules under which groups of an attribute are left out; a group stands under its strictest alone."""
    scored = {value: min(n, _scored(results, scenario, name, value, n)) for value, n in counts.items()}
    rules: dict[int, list[str]] = {MIN_SLICE: ["any figure"]}
    if not crossed(name):
        rules.setdefault(LEAST, []).append("the differences drawn")
    for one in figures:
        if one.by == name:
            rules.setdefault(one.least, []).append(results.title(one.metric))
    found, told = [], set()
    for least, what in sorted(rules.items()):
        cells = [(line(v, 60), counts[v]) for v, n in scored.items() if n < least and v not in told]
        told |= {value for value, n in scored.items() if n < least}
        if cells:
            more = [title for other, titles in sorted(rules.items()) if other > least for title in titles]
            rule = f"fewer than {least} scored: left out of {listing(list(dict.fromkeys([*what, *more])))}"
            found.append(Small(name, tuple(sorted(cells, key=lambda cell: cell[1])), rule))
    return found


def _scored(results: Results, scenario: str, name: str, value: str, asked: int) -> int:
    """Fewest scored units of a group under any model, of the metrics that are compared over groups."""
    of = {one.of for one in compared(results, scenario) if one.by == name and one.of and one.kind in MEANS}
    rows = (
        results.get(scenario, metric, model, f"{name}={value}")
        for metric in of
        for model in results.models(scenario)
    )
    return min((row.n for row in rows if row is not None), default=asked)


def _untested(
    material: Material, scenario: str, names: Sequence[str], figures: Sequence[Compared]
) -> list[Gap]:
    results, run = material.results, material.run
    scenarios = mapping(mapping(run.get("suite")).get("scenarios"))
    own = mapping(scenarios.get(scenario))
    measured = {str(results.definition(metric).get("name") or "") for metric in results.metrics(scenario)}
    people = [name for name in names if declared(name)]
    found: list[Gap] = []
    if not people:
        found.append(("Whether groups of users are served alike", "no groups of users are declared"))
    else:
        found += _of_groups(results, scenario, people, figures, measured)
    if not any(name.startswith(("exposure_", "attention_", "pairwise_")) for name in measured):
        found.append(("Whether providers are shown alike", _no_providers(material.directory, scenario)))
    asks = {
        str(name): mapping(mapping(mapping(one).get("options")).get("attributes"))
        for name, one in scenarios.items()
        if mapping(one).get("scenario") == "counterfactual"
    }
    if own.get("scenario") == "counterfactual":
        options = mapping(own.get("options"))
        if not any(mapping(options.get("robustness")).values()):
            found.append(
                (
                    "Whether a typo, another language or another order of words changes as much",
                    "no such arm is asked",
                )
            )
    else:
        found += _undisclosed(people, asks)
    return found


def _of_groups(
    results: Results,
    scenario: str,
    people: Sequence[str],
    figures: Sequence[Compared],
    measured: Iterable[str],
) -> list[Gap]:
    """What groups are declared for and nothing says."""
    found: list[Gap] = []
    single = [name for name in people if not crossed(name)]
    if len(single) > 1 and not any(crossed(name) for name in people):
        found.append(
            (
                f"Whom it hits where {listing(single[:4])} meet",
                f"no intersection such as {'*'.join(single[:2])} is declared",
            )
        )
    claims = {v.metric for v in results.verdicts if v.scenario == scenario and v.gate}
    sliced = {v.slice.partition("=")[0] for v in results.verdicts if v.scenario == scenario and v.gate}
    bare = [name for name in people if not any(one.by == name and one.kind in KINDS for one in figures)]
    if bare:
        found.append(
            (
                f"One figure with one p for all groups by {listing(bare)}",
                "no gap or ratio over them is measured",
            )
        )
    free = [
        name
        for name in people
        if name not in sliced and not any(one.by == name and one.metric in claims for one in figures)
    ]
    if free:
        found.append(
            (
                f"Whether groups by {listing(free)} are alike",
                "no margin is claimed, and without one no interval says so",
            )
        )
    if not set(PARITY) & set(measured):
        found.append(
            (
                "Demographic parity, equal opportunity and equalised odds",
                "no outcome is named that users may get or miss",
            )
        )
    if not set(SERVICE) & set(measured):
        found.append(
            (
                "Whether some groups are refused, failed or kept waiting more",
                "no figure on answers is measured",
            )
        )
    return found


def _undisclosed(people: Sequence[str], asks: Mapping[str, Mapping[str, Any]]) -> list[Gap]:
    """Attributes of which no model was told anything in this scenario, nor in another."""
    if not asks:
        return [(_DISCLOSED, "no scenario of this run discloses anything of users")]
    told = {name for attributes in asks.values() for name in attributes}
    never = [name for name in people if not crossed(name) and name not in told]
    where = few([line(name, 60) for name in asks])
    found = [(_DISCLOSED, f"asked in {where}, not here")]
    if never:
        found.append(
            (f"What it changes when {listing(never)} is disclosed", "it is never disclosed in this run")
        )
    return found


def _no_providers(directory: Path, scenario: str) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        column = pq.read_table(directory / "cases" / f"{scenario}@items.parquet", columns=["provider"])
        known = column.num_rows - column.column(0).null_count
    except (OSError, pa.ArrowException, KeyError, IndexError):
        known = 0
    return "no figure of exposure is measured" if known else "no column of the items names a provider"


def _finding(
    names: Sequence[str],
    small: Sequence[Small],
    unknown: Sequence[tuple[str, int, int]],
    untested: Sequence[Gap],
    results: Results,
    scenario: str,
) -> str:
    if not any(declared(name) for name in names) and not _any_fairness(results, scenario):
        return "Nothing of fairness was tested here"
    parts = []
    cells = sum(len(one.cells) for one in small)
    if cells:
        parts.append(
            f"{plural(cells, 'group')} of users {'is' if cells == 1 else 'are'} too small for some figures"
        )
    for name, n, whole in unknown:
        parts.append(f"{line(name, 60)} is unknown of {count(n)} of {count(whole)}")
    parts.append(
        f"{plural(len(untested), 'question')} on fairness {'was' if len(untested) == 1 else 'were'} not asked"
    )
    return "; ".join(parts)[:1].upper() + "; ".join(parts)[1:]


def _any_fairness(results: Results, scenario: str) -> bool:
    names = {str(results.definition(metric).get("name") or "") for metric in results.metrics(scenario)}
    return any(
        name in (*KINDS, "snsr", "neutral_similarity", "quadrant") or name.startswith(("exposure_", "snsr"))
        for name in names
    )
