"""The instances of one scenario: found, ordered, flipped, and made into rows window by window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from genrec_eval.audit.comparing.types import Comparison, Flip
from genrec_eval.core.numbers import exact
from genrec_eval.protocol.arrays import Float64, Int64
from genrec_eval.reporting.instances.cases import WINDOW, Cases, positions, values
from genrec_eval.reporting.instances.choose import shuffled, worst_first
from genrec_eval.reporting.instances.flipped import KINDS, Mask, Side, flips
from genrec_eval.reporting.instances.records import Records, severity
from genrec_eval.reporting.instances.rows import other, row, said
from genrec_eval.reporting.instances.scores import Placed, Scores, main_metric, misses, told_of_each
from genrec_eval.reporting.instances.spoken import Spoken
from genrec_eval.reporting.instances.types import Row, Scene
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.text import line


@dataclass(slots=True)
class Played:
    """The answers of one model.

    Attributes
    ----------
    order
        int64[m], its instances, the worst first.
    rank
        int64[n], place of each case in that order, from 1; 0 where there is no instance.
    flip
        int8[n], see :func:`~genrec_eval.reporting.instances.flipped.flips`.
    picked
        Rows that stand in the page.
    """

    model: str
    number: int
    records: Records
    side: Side
    order: Int64
    rank: Int64
    flip: npt.NDArray[np.int8]
    flipped: Mask
    picked: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Stage:
    """One scenario with the answers of all its models."""

    number: int
    scene: Scene
    cases: Cases
    played: list[Played]
    chance: Int64
    baseline: str | None
    flips: Mapping[tuple[str, str], list[Flip]]
    spoken: Spoken
    beside: Mask | None = None
    """bool[n], cases that stand in the sidecar; None for all."""

    @property
    def total(self) -> int:
        """How many instances there are."""
        return sum(len(one.order) for one in self.played)

    def rows(self, scores: Scores, wanted: Mapping[str, Int64]) -> Iterator[tuple[str, int, Row]]:
        """(model, case, row) of the wanted cases of each model, case by case, in the order of the cases."""
        columns = {one.model: _columns(scores, self, one.model, wanted[one.model]) for one in self.played}
        flipped = [rows[one.flipped[rows]] for one in self.played if len(rows := wanted[one.model])]
        for one in self.played:
            beside = flipped if one.model == self.baseline else []
            one.records.gather(np.unique(np.concatenate([wanted[one.model], *beside])))
        begin = {one.model: 0 for one in self.played}
        for start, detail in self.cases.details():
            end = start + (WINDOW if detail is None else len(detail))
            some: dict[str, Int64] = {}
            figures: dict[str, dict[int, list[Any]]] = {}
            for one in self.played:
                rows = wanted[one.model]
                first = begin[one.model]
                last = first + int(np.searchsorted(rows[first:], end))
                some[one.model], begin[one.model] = rows[first:last], last
                figures[one.model] = _figures(columns[one.model], rows, first, last)
            if any(len(rows) for rows in some.values()):
                yield from self._window(start, detail, some, figures)

    def _window(
        self,
        start: int,
        detail: pa.Table | None,
        some: Mapping[str, Int64],
        figures: Mapping[str, Mapping[int, list[Any]]],
    ) -> Iterator[tuple[str, int, Row]]:
        every = np.unique(np.concatenate(list(some.values())))
        told = _told(self.cases, detail, every, start)
        judged = self.spoken.of(every)
        made: dict[tuple[str, int], Row] = {}
        base = next((one for one in self.played if one.model == self.baseline), None)
        extra: Int64 = np.zeros(0, np.int64)
        if base is not None:  # what flips are held against is read even where it is not shown
            turned = [rows[one.flipped[rows]] for one in self.played if len(rows := some[one.model])]
            extra = np.setdiff1d(np.concatenate([*turned, extra]), some[base.model])
        for one in self.played:
            rows = some[one.model]
            asked = np.union1d(rows, extra) if one is base else rows
            records = one.records.of(asked)
            for case in asked.tolist():
                case_id, unit, arm, groups, inside = told[case]
                made[one.model, case] = row(
                    scenario=self.number,
                    model=one.number,
                    case=case_id,
                    unit=unit,
                    arm=arm,
                    groups=groups,
                    status=one.side.status[case],
                    rank=int(one.rank[case]),
                    scores=figures[one.model].get(case, []),
                    records=records.get(case, ()),
                    detail=inside,
                )
                if judgements := judged.get((one.model, case)):
                    made[one.model, case]["said"] = said(judgements)
        shown = {one.model: frozenset(some[one.model].tolist()) for one in self.played}
        for case in every.tolist():
            for one in self.played:
                if case in shown[one.model]:
                    found = made[one.model, case]
                    self._flip(one, case, found, made)
                    yield one.model, case, found

    def _flip(self, one: Played, case: int, found: Row, made: Mapping[tuple[str, int], Row]) -> None:
        if told := self.flips.get((one.model, found["case"])):
            first = told[0]
            found["flip"] = {"kind": first.kind, "said": [_sentence(self.scene, flip) for flip in told[:6]]}
            found["before"] = _before(self.scene.against, first, found.get("wanted", ()))
        elif one.flip[case]:
            assert self.baseline is not None
            base = made[self.baseline, case]
            kind = KINDS[one.flip[case]]
            sentence = f"status {base['status']} there, {found['status']} here"
            if kind != "status" and self.scene.main is not None:
                _, title, unit = self.scene.metrics[self.scene.main]
                there = next(played for played in self.played if played.model == self.baseline)
                before, after = (_number(float(side.values[case]), unit) for side in (there.side, one.side))
                sentence = f"{title} {before} there, {after} here"
            found["flip"] = {"kind": kind, "said": [sentence]}
            found["before"] = other(self.scene.against, base)


def stage_of(
    results: Results,
    run: Mapping[str, Any],
    directory: Path,
    number: int,
    scenario: str,
    files: Mapping[str, list[Path]],
    models: Sequence[str],
    scores: Scores,
    comparison: Comparison | None,
) -> Stage:
    """Read what the instances of a scenario are chosen by.

    Parameters
    ----------
    files
        Model → files that hold its records.
    models
        All models of the report, whose positions rows name.
    """
    cases = Cases.read(directory, scenario, [path for paths in files.values() for path in paths])
    metrics = told_of_each(results, scores, scenario, list(files))
    main = main_metric(results, scenario, metrics)
    direction = results.direction(main) if main else "none"
    suite = mapping(run.get("suite"))
    names = list(files)
    baseline = suite.get("baseline") if suite.get("baseline") in names else names[0] if names else None
    listed: dict[tuple[str, str], list[Flip]] = {}
    if comparison is not None:
        baseline = None
        for flip in comparison.flips:
            if flip.scenario == scenario:
                listed.setdefault((flip.model, flip.case), []).append(flip)
    chance = shuffled(int(run.get("seed") or 0), scenario, len(cases))
    played = [
        _played(results, scores, scenario, model, models.index(model), paths, cases, main, direction, chance)
        for model, paths in files.items()
    ]
    base = next((one for one in played if one.model == baseline), None)
    for one in played:
        if base is not None and one is not base:
            one.flip = flips(base.side, one.side, direction, _bounds(results, main))
            one.flipped = one.flip > 0
        elif listed:
            ids = [case for model, case in listed if model == one.model]
            rows = positions(pa.array(ids, pa.string()), cases.ids)
            rows = rows[rows >= 0]
            one.flipped[rows[one.rank[rows] > 0]] = True
    against = "" if baseline is None or len(names) < 2 else baseline
    return Stage(
        number=number,
        scene=Scene(
            name=scenario,
            groups=list(cases.groups),
            slices=cases.slices(),
            metrics=[(metric, line(results.title(metric), 120), results.unit(metric)) for metric in metrics],
            main=metrics.index(main) if main in metrics else None,
            against=f"the run {line(comparison.reference, 80)}" if comparison is not None else against,
        ),
        cases=cases,
        played=[one for one in played if len(one.order)],
        chance=chance,
        baseline=baseline,
        flips=listed,
        spoken=Spoken(directory, run, scenario, cases),
    )


def _bounds(results: Results, metric: str | None) -> tuple[float | None, float | None]:
    told = results.definition(metric or "").get("bounds")
    if not isinstance(told, list | tuple) or len(told) != 2:
        return 0.0, None
    least, greatest = (float(one) if isinstance(one, int | float) else None for one in told)
    return least, greatest


def _played(
    results: Results,
    scores: Scores,
    scenario: str,
    model: str,
    number: int,
    paths: list[Path],
    cases: Cases,
    main: str | None,
    direction: str,
    chance: Int64,
) -> Played:
    records = Records(paths, model, scenario, cases)
    status = records.status
    names = np.array([*records.statuses, None], object)
    of_status = np.array([*(severity(word) for word in records.statuses), -1], np.int16)
    placed = scores.of(model, scenario, main, cases) if main else None
    values, scored = _of_cases(placed, cases)
    badness = np.where(scored, -values if direction == "higher" else values, np.nan)
    missed = misses(results, scores, scenario, model, cases)[cases.unit_of]
    order = worst_first(of_status[status], status, badness, missed, chance)
    rank = np.zeros(len(cases), np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    return Played(
        model=model,
        number=number,
        records=records,
        side=Side(names[status], values, scored),
        order=order,
        rank=rank,
        flip=np.zeros(len(cases), np.int8),
        flipped=np.zeros(len(cases), bool),
    )


def _of_cases(placed: Placed | None, cases: Cases) -> tuple[Float64, Mask]:
    if placed is None:
        return np.zeros(len(cases)), np.zeros(len(cases), bool)
    return placed.values[cases.unit_of], placed.scored[cases.unit_of]


def _columns(scores: Scores, stage: Stage, model: str, rows: Int64) -> list[Placed | None]:
    """The scores of cases ``rows``, one metric after the other, in the order of the scene's metrics."""
    units = stage.cases.unit_of[rows]
    found = (scores.of(model, stage.scene.name, metric, stage.cases) for metric, _, _ in stage.scene.metrics)
    return [None if placed is None else placed.take(units) for placed in found]


def _figures(columns: Sequence[Placed | None], rows: Int64, first: int, last: int) -> dict[int, list[Any]]:
    """Case → its unit's scores, of the cases from ``first`` to ``last`` of ``rows``."""
    told = [[None] * (last - first) if one is None else one.words(first, last) for one in columns]
    return dict(zip(rows[first:last].tolist(), map(list, zip(*told, strict=True)), strict=False))


def _told(cases: Cases, detail: pa.Table | None, rows: Int64, start: int) -> dict[int, tuple[Any, ...]]:
    at = pa.array(rows)
    ids, units, arms = (column.take(at).to_pylist() for column in (cases.ids, cases.units, cases.arms))
    groups = [column.take(at).to_pylist() for column in cases.groups.values()]
    by_row = list(zip(*groups, strict=True)) if groups else [()] * len(rows)
    inside: list[dict[str, Any]] = [{}] * len(rows)
    if detail is not None:
        some = detail.take(pa.array(rows - start))
        columns = [values(some.column(name)) for name in some.column_names]
        inside = [dict(zip(some.column_names, row, strict=True)) for row in zip(*columns, strict=True)]
    told = zip(ids, units, arms, by_row, inside, strict=True)
    return dict(zip(rows.tolist(), told, strict=True))


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "no score"
    return f"{exact(value * 100)} %" if unit == "share" else exact(value)


def _sentence(scene: Scene, flip: Flip) -> str:
    if flip.metric is None:
        return f"status {flip.reference.status} before, {flip.candidate.status} now"
    title, unit = next(((t, u) for m, t, u in scene.metrics if m == flip.metric), (flip.metric, ""))
    return f"{title} {_number(flip.reference.value, unit)} before, {_number(flip.candidate.value, unit)} now"


def _before(who: str, flip: Flip, wanted: Sequence[str]) -> dict[str, Any]:
    from genrec_eval.reporting.instances.asked import ITEMS, TEXT, cut

    one = flip.reference
    found: dict[str, Any] = {"who": who, "status": one.status[:200]}
    if one.items:
        found |= {"items": [str(item)[:200] for item in one.items[:ITEMS]], "of": len(one.items)}
        hits = [at for at, item in enumerate(found["items"], 1) if item in wanted]
        found |= {"hits": hits} if hits else {}
    if one.text:
        found["text"] = cut(one.text, TEXT)
    if one.error:
        found["error"] = cut(one.error, 600)
    return found
