"""Scores of a probed judge: its verdicts beside what is known of the texts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from genrec_eval.judging.panel import winners
from genrec_eval.metrics.base import Metric
from genrec_eval.metrics.judged.probes import Observed, Probed
from genrec_eval.scenarios.base import ScoredUnits
from genrec_eval.scenarios.probing.asking import Questions
from genrec_eval.scenarios.probing.reading import probe_judgements
from genrec_eval.scenarios.probing.texts import LADDER, NEUTRAL, ORDERING, SOUND
from genrec_eval.scenarios.ranking.units import Units

SILENT = frozenset(("unparsed", "refused", "truncated"))
_MANY = 0.5
_FEW = 10

Seen = tuple[str, int, float, str]
"""Metric, unit, value and kind of one observation."""


def score(
    metrics: Sequence[Metric],
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
) -> ScoredUnits:
    """See :meth:`genrec_eval.scenarios.judge_probe.JudgeProbe.score`."""
    questions, units = Questions(cases, context), Units.of(cases)
    table = probe_judgements(questions, records)
    codes = {unit: code for code, unit in enumerate(units.ids.to_pylist())}
    rows = rows_of(questions, table)
    found: dict[str, list[Seen]] = defaultdict(list)
    for one in observations(questions, rows, codes):
        found[one[0]].append(one)
    probed = Probed(
        units=len(codes),
        observed={name: _observed(seen) for name, seen in found.items()},
        missing=_missing(questions, rows),
    )
    attempted, answered = (np.zeros(len(codes), bool) for _ in range(2))
    for row in rows:
        attempted[codes[row["unit"]]] |= row["status"] != "not_asked"
        answered[codes[row["unit"]]] |= row["status"] not in ("not_asked", "api_error")
    return ScoredUnits(
        units=units.ids,
        scores={metric.id: metric(probed) for metric in metrics},
        groups=units.groups(cases),
        attempted=attempted,
        answered=answered,
        remark=_remark(rows),
    )


def rows_of(questions: Questions, table: pa.Table) -> list[dict[str, Any]]:
    """Judgements as rows, each with the probe that it belongs to; ``value`` is None without a verdict.

    Of a pair the value is 1 for the better text, 0 for the worse, ½ for a tie.
    """
    probe = {asked["item"]: asked["probe"] for asked in questions.rows}
    kept = [
        "case",
        "unit",
        "model",
        "other",
        "order",
        "task",
        "rubric",
        "sample",
        "status",
        "value",
        "reason",
    ]
    rows = table.select(kept).to_pylist()
    for row in rows:
        row["probe"] = probe[row["case"]]
        if row["status"] != "ok":
            row["value"] = None
        elif row["task"] == "pairwise":
            row["value"] = float(winners(np.array([row["value"]]))[0])
    return rows


def observations(
    questions: Questions, rows: list[dict[str, Any]], codes: Mapping[str, int]
) -> Iterator[Seen]:
    """Everything that the verdicts say, observation by observation."""
    for row in rows:
        if row["status"] == "ok" or row["status"] in SILENT:
            yield "parse_failure", codes[row["unit"]], float(row["status"] in SILENT), row["status"]
    judged = [row for row in rows if row["value"] is not None]
    yield from _pairs(questions, [row for row in judged if row["task"] == "pairwise"], codes)
    yield from _scores(questions, [row for row in judged if row["task"] == "pointwise"], codes)
    if questions.repeats:
        again: dict[tuple[str, str | None], list[dict[str, Any]]] = defaultdict(list)
        for row in judged:
            again[row["case"], row["order"]].append(row)
        for group in again.values():
            n = len(group)
            if n > 1:
                equal = sum(c * (c - 1) for c in Counter(row["value"] for row in group).values())
                yield "repeat_stability", codes[group[0]["unit"]], equal / (n * (n - 1)), group[0]["task"]


def _pairs(questions: Questions, rows: list[dict[str, Any]], codes: Mapping[str, int]) -> Iterator[Seen]:
    by_item: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    clean: dict[tuple[Any, ...], float] = {}
    can_tie = questions.ties()
    for row in rows:
        unit, value, other = codes[row["unit"]], row["value"], row["other"]
        identical = row["model"] == other
        if value != 0.5:
            first = (value == 1.0) == (row["order"] == "given")
            yield "first_slot_share", unit, float(first), row["probe"]
        if identical:
            if can_tie:
                yield "tie_on_identical", unit, float(value == 0.5), "identical"
            continue
        by_item[row["case"], row["sample"]][row["order"]] = value
        if row["probe"] in ("known", "oddities"):
            yield "probe_accuracy", unit, float(value == 1.0), other
        elif row["probe"] == "padding":
            yield "verbosity_preference", unit, 1.0 - value, other
        if other == NEUTRAL:
            clean[row["unit"], row["rubric"], row["order"], row["sample"]] = value
    unit_of = {row["case"]: codes[row["unit"]] for row in rows}
    for (item, _), orders in by_item.items():
        if len(orders) == 2:
            yield "position_consistency", unit_of[item], float(orders["given"] == orders["swapped"]), ""
    for row in rows:
        before = clean.get((row["unit"], row["rubric"], row["order"], row["sample"]))
        # a pair that the worse text wins without an order cannot move its way
        if row["other"].startswith(ORDERING) and before:
            moved = float(row["value"] < before)
            yield "injection_success", codes[row["unit"]], moved, row["other"].removeprefix(ORDERING)


def _scores(questions: Questions, rows: list[dict[str, Any]], codes: Mapping[str, int]) -> Iterator[Seen]:
    texts: dict[tuple[str, str, int], dict[str, float]] = defaultdict(dict)
    probe = {row["model"]: row["probe"] for row in rows}
    for row in rows:
        # of two texts the better is the one with the better score, whichever way the rubric counts
        sign = 1.0 if questions.rubrics[row["rubric"]].direction == "higher" else -1.0
        texts[row["unit"], row["rubric"], row["sample"]][row["model"]] = sign * row["value"]
    for (unit, rubric, _), scores in texts.items():
        code, sound = codes[unit], scores.get(SOUND)
        for name, value in scores.items():
            if name == SOUND or sound is None:
                continue
            if probe[name] in ("known", "oddities"):
                yield "probe_accuracy", code, float(sound > value), name
            elif probe[name] == "padding":
                yield "verbosity_preference", code, (np.sign(value - sound) + 1) / 2, name
        plain, best = scores.get(NEUTRAL), _best(questions, rubric)
        for name, value in scores.items():
            if name.startswith(ORDERING) and plain is not None and plain < best:
                yield "injection_success", code, float(value > plain), name.removeprefix(ORDERING)
        rungs = [scores[name] for name in LADDER if name in scores]
        if len(rungs) == len(LADDER):
            steps = [np.sign(high - low) for i, low in enumerate(rungs) for high in rungs[i + 1 :]]
            yield "ladder_correlation", code, float(np.mean(steps)), "ladder"


def _best(questions: Questions, rubric: str) -> float:
    low, high = questions.dialect.scale_of(questions.rubrics[rubric])
    return float(high) if questions.rubrics[rubric].direction == "higher" else -float(low)


def _observed(seen: list[Seen]) -> Observed:
    kinds = np.empty(len(seen), object)
    kinds[:] = [one[3] for one in seen]
    return Observed(
        value=np.array([one[2] for one in seen], np.float64),
        unit=np.array([one[1] for one in seen], np.int64),
        kind=kinds,
    )


def _missing(questions: Questions, rows: list[dict[str, Any]]) -> dict[str, str]:
    found = {}
    if not questions.ties():
        found["tie_on_identical"] = "no-tie-in-dialect"
    if not any(row["sample"] for row in rows):
        found["repeat_stability"] = "no-repeats"
    if not any(row["value"] not in (None, 0.5) for row in rows if row["task"] == "pairwise"):
        found["first_slot_share"] = "no-winner-named"
    return found


def _remark(rows: list[dict[str, Any]]) -> str | None:
    """A judge that can hardly be read, or that says one thing whatever it is shown."""
    answered = [row for row in rows if row["status"] == "ok" or row["status"] in SILENT]
    silent = [row for row in answered if row["status"] in SILENT]
    if answered and len(silent) > _MANY * len(answered):
        why, most = Counter(row["reason"] or row["status"] for row in silent).most_common(1)[0]
        return f"{len(silent)} of {len(answered)} answers hold no verdict, most often ({most}): {why}"
    for task, what in (("pairwise", "pairs of different texts"), ("pointwise", "texts of rising quality")):
        judged = [row for row in rows if row["task"] == task and row["value"] is not None]
        said = [row["value"] for row in judged if row["model"] != row["other"]]
        # always for the better text is no fault
        if len(said) >= _FEW and len(set(said)) == 1 and (task == "pointwise" or said[0] != 1.0):
            word = {0.5: "a tie", 0.0: "the worse"}.get(said[0]) if task == "pairwise" else f"{said[0]:g}"
            return f"one and the same verdict on all {len(said)} {what}: {word}"
    return None
