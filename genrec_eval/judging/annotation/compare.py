"""People's answers as scores, and judges beside them: agreement, ceiling, corrected figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.judging.annotation.stored import HUMAN, AnnotatedQuestion, as_one_judge
from genrec_eval.judging.panel import Bool, Float64, Int64, winners
from genrec_eval.judging.question import Question
from genrec_eval.judging.resolve import OnTexts, Resolved, on_texts, resolve
from genrec_eval.judging.rows import IDENTICAL
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.judged.people import Labelled, claim_sums
from genrec_eval.metrics.judged.scores import Judged
from genrec_eval.stats.prediction_powered import unit_sums

if TYPE_CHECKING:
    from genrec_eval.metrics.base import Metric

_CLAIM = "\x1f"
"""Between a case and the number of a claim, where each claim is looked at for itself."""

Key = tuple[str, int, int]


def metrics_of(question: AnnotatedQuestion) -> list[Metric]:
    """How far people agree, and for each judge its agreement with them, its corrected figure."""
    found = [_metric("human_agreement", question, question.people)]
    for judged in question.judged:
        found += [_metric("human_agreement", question, judged), _metric("corrected", question, judged)]
    return found


def _metric(family: str, question: AnnotatedQuestion, judged: Question) -> Metric:
    judging = question.judging
    names = {"judge": judged.panel, "rubric": question.rubric.name, "task": judging.task}
    found = judged.bound(family, {**names, "against": judging.against or ""})
    if judged.judging.panel == (HUMAN,):
        told = (
            "How far two people agree on a text: what a judge's agreement with people is to be read against."
        )
        return replace(found, definition=replace(found.definition, title="Human ceiling", summary=told))
    if family != "corrected":
        return found
    scores, plain = judging.task == "pointwise", found.definition.combine
    assert plain is not None
    low, high = question.scale if scores else (0.0, 1.0)

    def within(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
        return np.clip(plain(sums, parameters), low, high)

    definition = replace(
        found.definition,
        bounds=(low, high),
        combine=within,
        unit="" if scores else "share",
        direction=question.rubric.direction if scores else "higher",
    )
    return replace(found, definition=definition)


def compare(
    question: AnnotatedQuestion,
    annotations: pa.Table,
    judgements: pa.Table,
    units: pa.Array,
    models: Sequence[str],
) -> dict[str, Resolved]:
    """Scores of all metrics of the question, by model.

    Parameters
    ----------
    annotations
        Of this question, schema JUDGEMENTS.
    judgements
        Of the scenario.
    units
        n unit ids, in the order of the scores.
    """
    people, n = as_one_judge(annotations), len(units)
    kind = question.judging.task
    human = resolve(people, question.people, units, models)
    votes = _votes(annotations)
    of_people = on_texts(_apart(people, kind), question.people, units, models)
    of_judges = [on_texts(_apart(judgements, kind), judged, units, models) for judged in question.judged]
    found = {}
    for model, resolved in human.items():
        metrics = iter(question.metrics()[1:])
        mine = votes.get(model, {})
        scores = dict(resolved.scores)
        ceiling = next(metrics)
        scores[ceiling.id] = ceiling(_among_people(mine, of_people[model], question, n))
        for judged, texts in zip(question.judged, of_judges, strict=True):
            rescaled = _rescaled(texts[model], judged, question)
            agreement, corrected = next(metrics), next(metrics)
            scores[agreement.id] = agreement(_with_people(mine, rescaled, question, n))
            base = resolve(judgements, judged, units, [model])[model].scores[judged.id]
            labelled = (_claims if kind == "claims" else _units)(
                rescaled, of_people[model], base, question, n
            )
            scores[corrected.id] = corrected(labelled)
        found[model] = Resolved(scores=scores, remarks=resolved.remarks)
    return found


def _apart(table: pa.Table, kind: str) -> pa.Table:
    """Each claim as a text of its own."""
    if kind != "claims":
        return table
    case = table.column("case").to_pylist()
    claim = table.column("claim").to_pylist()
    named = [one if at is None else f"{one}{_CLAIM}{at}" for one, at in zip(case, claim, strict=True)]
    place = table.schema.get_field_index("case")
    return table.set_column(place, "case", pa.array(named, pa.string()))


def _votes(annotations: pa.Table) -> dict[str, dict[Key, list[float]]]:
    """Model → text, or claim of it → what each person said; identical texts had no vote."""
    asked = annotations.filter(pc.fill_null(pc.not_equal(annotations.column("label"), IDENTICAL), True))
    asked = _apart(asked, str(asked.column("task")[0]) if len(asked) else "")
    names = ("model", "case", "repeat", "step", "value")
    columns = [
        (asked.column(n).cast(pa.string()) if n == "model" else asked.column(n)).to_pylist() for n in names
    ]
    found: dict[str, dict[Key, list[float]]] = {}
    for model, case, repeat, step, value in zip(*columns, strict=True):
        found.setdefault(model, {}).setdefault((case, repeat, step), []).append(value)
    return found


def _agree(one: Float64, other: Float64, question: Question) -> Float64:
    if question.judging.task == "pointwise":
        return np.clip(1 - np.abs(one - other) / (question.scale[1] - question.scale[0]), 0.0, 1.0)
    return (winners(one) == winners(other)).astype(np.float64)


def _among_people(votes: Mapping[Key, list[float]], texts: OnTexts, question: Question, n: int) -> Judged:
    """The mean agreement of two people on each text that two or more have labelled."""
    values, unit = [], []
    for key, at in zip(texts.keys, texts.units.tolist(), strict=True):
        said = np.array(votes.get(key, ()), np.float64)
        if len(said) > 1:
            first, second = np.triu_indices(len(said), 1)
            values.append(float(_agree(said[first], said[second], question).mean()))
            unit.append(at)
    return Judged(values=np.array(values, np.float64), unit=np.array(unit, np.int64), units=n)


def _with_people(votes: Mapping[Key, list[float]], texts: OnTexts, question: Question, n: int) -> Judged:
    """The mean agreement of the judge with each person on each text that it and somebody judged."""
    values, unit = [], []
    for row in np.flatnonzero(texts.judged).tolist():
        said = np.array(votes.get(texts.keys[row], ()), np.float64)
        if len(said):
            values.append(float(_agree(said, np.full(len(said), texts.values[row]), question).mean()))
            unit.append(int(texts.units[row]))
    return Judged(values=np.array(values, np.float64), unit=np.array(unit, np.int64), units=n)


def _rescaled(texts: OnTexts, judged: Question, question: Question) -> OnTexts:
    """Scores on a dialect's own scale as scores on the rubric's."""
    if question.judging.task != "pointwise" or judged.scale == question.scale:
        return texts
    (low, high), (least, greatest) = judged.scale, question.scale
    values = least + (texts.values - low) / (high - low) * (greatest - least)
    return replace(texts, values=values)


def _joined(texts: OnTexts, people: OnTexts) -> Float64:
    """The people's value of each of the judge's texts; NaN where they have none."""
    known = {
        key: value
        for key, value, there in zip(people.keys, people.values, people.judged, strict=True)
        if there
    }
    return np.array([known.get(key, np.nan) for key in texts.keys], np.float64)


def _units(texts: OnTexts, people: OnTexts, base: UnitScores, question: Question, n: int) -> Labelled:
    """Each unit once: labelled units by the very texts that were labelled, the others by all their texts."""
    human = _joined(texts, people)
    here = texts.judged & np.isfinite(human)
    labels, labelled = _mean(human, texts.units, here, n)
    beside, _ = _mean(texts.values, texts.units, here, n)
    alone, _ = _mean(texts.values, texts.units, texts.judged, n)
    judged = np.where(labelled, beside, alone)
    sums = unit_sums(labels, labelled, judged)
    return Labelled(
        values=np.where(labelled, labels, judged),
        sums=np.where(base.scored[:, None], sums, 0.0),
        reasons=base.reasons,
    )


def _claims(texts: OnTexts, people: OnTexts, base: UnitScores, question: Question, n: int) -> Labelled:
    human = _joined(texts, people)
    kept = texts.judged
    said = (texts.values[kept] > 0.5).astype(np.float64)  # repeats of a judge may be split
    sums = claim_sums(said, human[kept], texts.units[kept], n)
    labels, labelled = _mean(human, texts.units, kept & np.isfinite(human), n)
    values = np.where(
        labelled, labels, np.divide(sums[:, 4], sums[:, 5], out=np.zeros(n), where=sums[:, 5] > 0)
    )
    return Labelled(values=values, sums=np.where(base.scored[:, None], sums, 0.0), reasons=base.reasons)


def _mean(values: Float64, unit: Int64, mask: Bool, n: int) -> tuple[Float64, Bool]:
    counts = np.bincount(unit[mask], minlength=n)
    sums = np.bincount(unit[mask], weights=values[mask], minlength=n)
    return np.divide(sums, counts, out=np.zeros(n), where=counts > 0), counts > 0
