"""Texts beside evidence: a few of each writer, with every claim and the fact that it was checked against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError
from genrec_eval.core.numbers import figure
from genrec_eval.core.randomness import generator
from genrec_eval.protocol.results import Ruling, Verdict
from genrec_eval.reporting.pieces import Marked, changed, marked
from genrec_eval.reporting.quoted_judgements import Said, judged_units, said_of
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.text import block, line, listing

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from genrec_eval.engine.rundir import RunDirectory
    from genrec_eval.scenarios.base import Scenario
    from genrec_eval.scenarios.evidence import Evidence

_INSTANCES = 24
"""Texts of one scenario, over all writers, and no fewer than two of each."""
_CASES = 8
"""Cases of a unit that are looked through for the worst text."""
_FACTS = 4000


@dataclass(frozen=True, slots=True)
class Retold:
    """What the model wrote when asked in another way.

    Attributes
    ----------
    parts
        Its stretches, each with whether it differs from the first text; None where the two are the same.
    """

    asked: str
    parts: tuple[tuple[str, bool], ...] | None
    text: bool = True


@dataclass(frozen=True, slots=True)
class Shown:
    """One text of one model."""

    about: str
    why: str
    case: str
    text: Marked | None
    facts: str
    reference: str
    missing: tuple[str, ...]
    again: tuple[Retold, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Writer:
    """The texts of one model.

    Attributes
    ----------
    found
        What checks and claims find against it, with figures.
    """

    model: str
    planted: str
    found: str
    texts: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one scenario; with ``fault`` where none could be shown."""

    writers: tuple[Writer, ...]
    fault: str = ""


def texts(
    results: Results, run: Mapping[str, Any], directory: Path, scenario: str, flaws: Mapping[str, str]
) -> Texts | None:
    """The texts of a scenario whose answers are written; None for other scenarios.

    Which of them are shown depends on their scores: of each writer those that miss the most margins of
    claims and checks, and one by chance that is of the same unit for all. Writers that break a rule as a
    whole come first.
    """
    declared = mapping(mapping(mapping(run.get("suite")).get("scenarios")).get(scenario))
    if not declared or not (directory / "records").is_dir():
        return None
    from genrec_eval.audit.run_tables import scenario_of
    from genrec_eval.engine.rundir import RunDirectory

    try:
        tables = RunDirectory.open(directory)
        kind = scenario_of(tables, scenario)
        if not kind.writes:
            return None
        models = [model for model, of in tables.played() if of == scenario]
        chosen = _chosen(results, directory, scenario, models, tables)
        found = _read(tables, kind, scenario, chosen)
        judgements = said_of(tables, run, scenario, {one.case for of in found.values() for _, one in of})
    except (UsageError, KeyError, TypeError, ValueError) as error:
        return Texts((), line(f"The texts cannot be shown: {error}", 400))
    writers = [
        Writer(
            model,
            flaws.get(model, ""),
            _found(results, scenario, model),
            tuple(_shown(one, why, judgements.get((model, one.case), ())) for why, one in found[model]),
        )
        for model in models
        if found.get(model)
    ]
    writers.sort(key=lambda writer: not writer.found)
    return Texts(tuple(writers)) if writers else None


def _found(results: Results, scenario: str, model: str) -> str:
    """``"Contradicted 100.0 % (97.6–100.0), asked at most 10 %"``, for each rule that the model breaks."""
    broken = {
        row.metric: row
        for row in results.verdicts
        if (row.scenario, row.model, row.slice) == (scenario, model, "all")
        and row.verdict is Ruling.FAIL
        and row.baseline is None
    }
    said = [
        f"{results.title(metric)} {figure(row.value, row.low, row.high, unit=results.unit(metric))}"
        for metric, row in broken.items()
    ]
    return listing(said)


def _chosen(
    results: Results, directory: Path, scenario: str, models: Sequence[str], tables: RunDirectory
) -> dict[str, list[tuple[str, str]]]:
    """Model → (why it is shown, unit)."""
    from genrec_eval.audit.score import StoredScores

    units = list(dict.fromkeys(tables.cases(scenario).column("unit").to_pylist()))
    if not units:
        return {}
    seed = int(tables.run.get("seed") or 0)
    each = max(2, _INSTANCES // max(1, len(models)) // 2)
    drawn = [units[i] for i in generator(seed, "texts shown", scenario).permutation(len(units)).tolist()]
    judged = judged_units(tables, scenario)
    drawn.sort(key=lambda unit: unit not in judged)
    with StoredScores(directory / "scores.parquet") as scores:
        return {model: _of_model(results, scores, scenario, model, drawn, each) for model in models}


def _of_model(
    results: Results, scores: Any, scenario: str, model: str, drawn: list[str], each: int
) -> list[tuple[str, str]]:
    import numpy as np

    place = {unit: i for i, unit in enumerate(drawn)}
    worst = np.zeros((2, len(drawn)), np.int64)
    broken: list[tuple[str, np.ndarray]] = []
    rules = {
        row.metric: row
        for row in results.verdicts
        if (row.scenario, row.model, row.slice) == (scenario, model, "all")
        and row.rule in ("at_least", "at_most")
    }
    for metric, row in rules.items():
        held = scores.get(model, scenario, metric)
        if held is None or held[1].total is not None:
            continue
        bad = _beyond(row, held[1].values) & held[1].scored
        mask = np.zeros(len(drawn), bool)
        mask[[place[unit] for unit, hit in zip(held[0].to_pylist(), bad.tolist(), strict=True) if hit]] = True
        broken.append((metric, mask))
        worst[0 if row.verdict is Ruling.FAIL else 1] += mask
    # what a model does often is shown where it does it, what it does seldom where it does most of it
    misses = worst[0] if worst[0].any() else worst[1]
    order = np.argsort(-misses, kind="stable").tolist()
    # the first that was drawn is shown of all writers, so that they can be compared
    picks = [at for at in order if at and misses[at]][: each - 1]
    picks += [at for at in range(len(drawn)) if at not in picks][: each - len(picks)]
    found = []
    for at in picks:
        titles = [results.title(metric) for metric, mask in broken if mask[at]]
        found.append((f"by itself misses {listing(titles)}" if titles else "misses nothing", drawn[at]))
    return found


def _beyond(row: Verdict, values: np.ndarray) -> np.ndarray:
    return values > row.margin if row.rule == "at_most" else values < row.margin


def _read(
    tables: RunDirectory, kind: Scenario, scenario: str, chosen: Mapping[str, list[tuple[str, str]]]
) -> dict[str, list[tuple[str, Evidence]]]:
    """Model → (why, the worst text of the unit), in the order chosen."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cases, context = tables.cases(scenario), tables.context(scenario)
    found: dict[str, list[tuple[str, Evidence]]] = {}
    for model, picks in chosen.items():
        units = pa.array([unit for _, unit in picks], pa.string())
        some = cases.filter(pc.is_in(cases.column("unit").cast(pa.string()), value_set=units))
        some = _first(some, _CASES)
        ids = some.column("case").combine_chunks().cast(pa.string())
        records = _of_cases(tables.records(model, scenario, kind.reads), ids)
        worst: dict[str, Evidence] = {}
        for one in kind.evidence(some, context, records):
            if one.unit not in worst or _weight(one) > _weight(worst[one.unit]):
                worst[one.unit] = one
        found[model] = [(why, worst[unit]) for why, unit in picks if unit in worst]
    return found


def _first(cases: pa.Table, most: int) -> pa.Table:
    """At most so many cases of each unit."""
    seen: dict[str, int] = {}
    rows = []
    for row, unit in enumerate(cases.column("unit").to_pylist()):
        seen[unit] = seen.get(unit, 0) + 1
        if seen[unit] <= most:
            rows.append(row)
    return cases.take(rows)


def _of_cases(records: Iterable[pa.RecordBatch], ids: pa.Array) -> Iterable[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in records:
        kept = batch.filter(pc.is_in(batch.column("case").cast(pa.string()), value_set=ids))
        if kept.num_rows:
            yield kept


def _weight(one: Evidence) -> tuple[int, int]:
    return sum(mark.verdict != "supported" for mark in one.marks), -one.repeat


def _shown(one: Evidence, why: str, said: Sequence[Said]) -> Shown:
    return Shown(
        about=line(one.about, 200),
        why=why,
        case=one.case,
        text=None if one.text is None else marked(one.text, one.marks),
        facts=block(one.facts, _FACTS) if one.facts else "",
        reference=block(one.reference, _FACTS) if one.reference else "",
        missing=tuple(line(text, 300) for text in one.missing[:12]),
        again=tuple(_retold(one.text, again.asked, again.text) for again in one.variants),
        said=tuple(one_said for one_said in said if one_said.step == one.step),
    )


def _retold(first: str | None, asked: str, text: str | None) -> Retold:
    asked = line(asked, 200)
    if text is None:
        return Retold(asked, None, text=False)
    return Retold(asked, None if text == first else tuple(changed(first or "", text)))
