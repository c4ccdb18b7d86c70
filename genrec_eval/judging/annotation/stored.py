"""Annotations of a run: stored in the columns of judgements, asked for as a question of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.annotation.accept import PREFIX
from genrec_eval.judging.annotation.key import Key, Keyed, KeySheet
from genrec_eval.judging.annotation.sheets import content_digest
from genrec_eval.judging.policy import JudgePolicy, Judging
from genrec_eval.judging.question import Question, rubric_to_json
from genrec_eval.judging.rows import IDENTICAL, judgement_table
from genrec_eval.judging.tasks import Planned, plan_tasks
from genrec_eval.judging.types import Rubric

if TYPE_CHECKING:
    from genrec_eval.judging.audit.labels import Labels
    from genrec_eval.judging.types import Exhibit
    from genrec_eval.metrics.base import Metric

FILE = "annotations.parquet"
HUMAN = "human"
"""All people together, as metrics name their judge."""

_SAME = ("judge", "scenario", "task", "rubric", "model", "other", "case", "repeat", "step", "claim")

Place = tuple[str, int, int, tuple[str, ...]]


def people_question(judging: Judging, rubric: Rubric) -> Question:
    """What people are asked: they are one judge, and each of them one of its repeats.

    Scores are their mean, winners and verdicts on claims their majority; a text that one of them has
    judged counts.
    """
    policy = JudgePolicy(
        dialect="people",
        orders="random",
        on_disagree="half",
        min_coverage=0,
        combine="mean" if judging.task == "pointwise" else "majority",
    )
    low, high = rubric.scale
    return Question(judging=judging, rubric=rubric, policies={HUMAN: policy}, scale=(float(low), float(high)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedQuestion(Question):
    """A question that people have answered, beside those of judges that are the same.

    Attributes
    ----------
    judged
        Questions to judges of the same task, rubric and other model.
    """

    judged: tuple[Question, ...] = ()

    @property
    def people(self) -> Question:
        """The question to people alone."""
        return Question(judging=self.judging, rubric=self.rubric, policies=self.policies, scale=self.scale)

    def metrics(self) -> list[Metric]:
        """The people's figure, how far they agree, and for each judge its agreement and corrected figure."""
        from genrec_eval.judging.annotation.compare import metrics_of

        return [*self.people.metrics(), *metrics_of(self)]


def read_annotations(run: Path) -> pa.Table | None:
    """All annotations of a run, schema JUDGEMENTS; None when it has none.

    Raises
    ------
    UsageError
        When the file is broken.
    """
    import pyarrow.parquet as pq

    from genrec_eval.protocol.tables import JUDGEMENTS

    path = run / FILE
    if not path.is_file():
        return None
    try:
        return pq.read_table(path, schema=JUDGEMENTS)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read ({error}); import the sheets again") from None


def merge(run: Path, rows: Sequence[dict[str, Any]]) -> tuple[pa.Table, int]:
    """The run's annotations with ``rows`` taken in, and how many of an earlier import they change."""
    fresh = {_identity(row): row for row in rows}
    table = read_annotations(run)
    kept = [] if table is None else table.to_pylist()
    known = {_identity(row): row for row in kept}
    replaced = sum(
        identity in known
        and (known[identity]["value"], known[identity]["raw"]) != (row["value"], row.get("raw"))
        for identity, row in fresh.items()
    )
    merged = {**known, **fresh}
    ordered = sorted(
        merged.values(), key=lambda row: (str(row["key"]), str(row["judge"]), row.get("claim") or 0)
    )
    return judgement_table(ordered), replaced


def _identity(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Who said something about what: a person's later word counts, from whichever sheet."""
    return tuple(row.get(name) for name in _SAME)


def annotated_questions(run: Path, scenario: str, asked: Sequence[Question]) -> tuple[AnnotatedQuestion, ...]:
    """What people were asked in a scenario and have answered.

    Parameters
    ----------
    asked
        The questions to judges in the scenario.
    """
    table = read_annotations(run)
    if table is None:
        return ()
    found: dict[tuple[str, str, str | None], KeySheet] = {}
    key = Key.read(run)
    here = set(table.filter(_equal(table, "scenario", scenario)).column("key").to_pylist())
    for id_ in key.ids:
        sheet = key.sheet(id_)
        if sheet.scenario == scenario and not here.isdisjoint(sheet.items):
            found[sheet.judging.task, sheet.rubric.name, sheet.judging.against] = sheet
    made = []
    for (task, _, against), sheet in found.items():
        people = people_question(sheet.judging, sheet.rubric)
        same = tuple(
            one
            for one in asked
            if (one.judging.task, one.judging.against) == (task, against)
            and rubric_to_json(one.rubric) == rubric_to_json(sheet.rubric)
        )
        made.append(
            AnnotatedQuestion(
                judging=people.judging,
                rubric=people.rubric,
                policies=people.policies,
                scale=people.scale,
                judged=same,
            )
        )
    return tuple(made)


def annotations_of(
    run: Path, scenario: str, question: Question, exhibits: Mapping[str, Sequence[Exhibit]], seed: int
) -> tuple[pa.Table, Counter[str]]:
    """Annotations of one question; by model, how many are left out for texts that the run no longer holds.

    What a person said is about the very texts that were shown: a run that was played again and has others
    keeps the annotation in its file, and counts it no more.
    """
    table = read_annotations(run)
    assert table is not None
    for name, wanted in (
        ("scenario", scenario),
        ("task", question.judging.task),
        ("rubric", question.rubric.name),
        *([] if question.judging.against is None else [("other", question.judging.against)]),
    ):
        table = table.filter(_equal(table, name, wanted))
    now = digests_now(question, exhibits, seed, scenario)
    keyed: dict[str, Keyed] = {}
    key = Key.read(run)
    for id_ in key.ids:
        sheet = key.sheet(id_)
        keyed |= {**sheet.items, **sheet.identical}
    good = [
        item in keyed and now.get(keyed[item].place) == keyed[item].digest
        for item in table.column("key").to_pylist()
    ]
    models = table.column("model").cast(pa.string()).to_pylist()
    stale = Counter(model for model, fits in zip(models, good, strict=True) if not fits)
    return table.filter(pa.array(good, pa.bool_())), stale


def plans_of(
    question: Question, exhibits: Mapping[str, Sequence[Exhibit]], seed: int, scenario: str
) -> list[Planned]:
    """What there is to ask people; pairs in the order given, which sheets then draw for each person."""
    policy = question.policies[HUMAN].model_copy(update={"orders": "given"})
    return list(plan_tasks(question, policy, exhibits, seed, scenario))


def digests_now(
    question: Question, exhibits: Mapping[str, Sequence[Exhibit]], seed: int, scenario: str
) -> dict[Place, str]:
    """Place → digest of what would be shown now."""
    return {
        (one.case, one.repeat, one.step, one.writers): content_digest(one)
        for one in plans_of(question, exhibits, seed, scenario)
        if one.task is not None or one.identical
    }


def as_one_judge(table: pa.Table) -> pa.Table:
    """Annotations with all people as the judge ``human`` and each person as one of its repeats.

    Values of pairs are turned back already, so that the order they were shown in has no further say.
    """
    people = table.column("judge").cast(pa.string()).to_pylist()
    number = {name: at for at, name in enumerate(sorted(set(people)))}
    n = len(table)
    changed = {
        "judge": pa.array([HUMAN] * n, pa.string()),
        "sample": pa.array([number[name] for name in people], pa.int16()),
        "order": pa.nulls(n, pa.string()),
    }
    for name, column in changed.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), column.cast(table.schema.field(at).type))
    return table


def labels(run: Path, scenario: str, rubric: str, task: str) -> Labels:
    """Annotations as the labels of a judge audit.

    Raises
    ------
    UsageError
        When the run has none of the kind.
    """
    from genrec_eval.judging.audit.labels import labels_of

    table = read_annotations(run)
    kept = [] if table is None else table.to_pylist()
    asked = (scenario, rubric, task)
    wanted = [
        row
        for row in kept
        if (row["scenario"], row["rubric"], row["task"]) == asked and row["label"] != IDENTICAL
    ]
    if not wanted:
        raise UsageError(f"{run} has no annotations by rubric '{rubric}' ({task}) in scenario '{scenario}'")
    if any(row["claim"] is not None or row["repeat"] or row["step"] for row in wanted):
        raise UsageError(
            f"{run}: annotations of claims, or of several texts to one case, are no labels by case; their"
            " agreement with judges is among the run's own figures (human_agreement)"
        )
    pair = task == "pairwise"
    words = {1.0: "model", 0.0: "other", 0.5: "tie"}
    columns = {
        "case": [row["case"] for row in wanted],
        "model": [row["model"] for row in wanted],
        "other": [row["other"] for row in wanted],
        "annotator": [row["judge"].removeprefix(PREFIX) for row in wanted],
        "label" if pair else "score": [words[row["value"]] if pair else row["value"] for row in wanted],
    }
    return labels_of(pa.table(columns), f"annotations of {run}")


def _equal(table: pa.Table, name: str, wanted: str) -> pa.Array:
    return pc.fill_null(pc.equal(table.column(name).cast(pa.string()), wanted), False)
