"""Annotations of a run: exhibits read back for sheets, sheets taken in, and what they come to as scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from genrec_eval.audit.run_tables import RunTables, scenario_of
from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.engine.rundir import RunDirectory, whole_file, write_json
from genrec_eval.judging.annotation.accept import Accepted, accept
from genrec_eval.judging.annotation.compare import compare
from genrec_eval.judging.annotation.key import FOLDER, Key
from genrec_eval.judging.annotation.read import read_all
from genrec_eval.judging.annotation.sheets import TASKS, Sheets, make_sheets
from genrec_eval.judging.annotation.stored import (
    FILE,
    HUMAN,
    AnnotatedQuestion,
    annotations_of,
    digests_now,
    merge,
    people_question,
    plans_of,
)
from genrec_eval.judging.policy import Judging
from genrec_eval.judging.resolve import Resolved
from genrec_eval.judging.rubric import load_rubric
from genrec_eval.judging.tasks import keep, sample_units

if TYPE_CHECKING:
    from genrec_eval.judging.question import Question
    from genrec_eval.judging.types import Exhibit, Rubric
    from genrec_eval.scenarios.base import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be annotated, as the command says it; None where the run must decide."""

    scenario: str | None = None
    rubric: str | None = None
    task: str | None = None
    against: str | None = None
    sample: int | None = None
    annotators: tuple[str, ...] = ("annotator-1",)
    overlap: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import came to.

    Attributes
    ----------
    open
        Annotator → items or claims of the sheets that nothing has come back for, in this import or before.
    replaced
        Answers that an earlier import had otherwise.
    stale
        Stored answers about texts that the run no longer holds.
    total
        Stored answers, those of earlier imports too.
    """

    accepted: Accepted
    open: Mapping[str, int]
    replaced: int
    stale: int
    total: int


def exhibits_of(run: RunTables, name: str, scenario: Scenario) -> dict[str, list[Exhibit]]:
    """What may be shown of each model's answers, read back from the records."""
    cases, context = run.cases(name), run.context(name)
    return {
        model: list(scenario.exhibits(cases, context, run.records(model, name)))
        for model, of in run.played()
        if of == name
    }


def annotated_scores(
    run: RunTables,
    name: str,
    scenario: Scenario,
    question: AnnotatedQuestion,
    judgements: pa.Table,
    units: pa.Array,
    models: Sequence[str],
) -> dict[str, Resolved]:
    """Scores of a question that people have answered, by model."""
    exhibits = exhibits_of(run, name, scenario)
    table, stale = annotations_of(run.path, name, question, exhibits, run.run["seed"])
    found = compare(question, table, judgements, units, models)
    asked = f"{question.judging.task}, {question.rubric.name}"
    for model in stale.keys() & found.keys():
        said = f"{stale[model]:,} annotations are about texts that the run no longer holds, and do not count"
        found[model] = replace(found[model], remarks=(*found[model].remarks, f"{said} ({asked})"))
    return found


def export_sheets(run: RunDirectory, wanted: Wanted, folder: Path) -> Sheets:
    """Make the sheets that are wanted and keep their key in the run.

    Parameters
    ----------
    folder
        Where a rubric of one's own is looked for.

    Raises
    ------
    UsageError
        When the run is not played, has nothing to annotate, or does not know what is named.
    """
    if run.run.get("state") != "played":
        raise UsageError(f"{run.path} was interrupted while it was played; run the suite again to finish it")
    if HUMAN in (run.run["suite"].get("judges") or {}):
        raise UsageError(f"the suite has a judge named '{HUMAN}', as people are called in figures; rename it")
    if wanted.task is not None and wanted.task not in TASKS:
        near = did_you_mean(wanted.task, TASKS)
        raise UsageError(f"people are not asked tasks of the kind '{wanted.task}'{near} ({', '.join(TASKS)})")
    if wanted.against is not None and wanted.task not in (None, "pairwise"):
        raise UsageError("--against is for --task pairwise")
    name = _scenario_name(run, wanted.scenario)
    scenario = scenario_of(run, name)
    question = _question(run, name, scenario, wanted, folder)
    exhibits = exhibits_of(run, name, scenario)
    seed = run.run["seed"]
    if wanted.sample is not None:
        every = [one for shown in exhibits.values() for one in shown]
        cases = sample_units(every, wanted.sample, seed, name)
        exhibits = {model: keep(shown, cases) for model, shown in exhibits.items()}
    sheets = make_sheets(
        plans_of(question, exhibits, seed, name),
        question,
        scenario=name,
        seed=seed,
        annotators=wanted.annotators,
        overlap=wanted.overlap,
    )
    key = Key.read(run.path)
    key.add(sheets)
    key.path.parent.mkdir(exist_ok=True)
    write_json(key.path, key.raw)
    return sheets


def _scenario_name(run: RunDirectory, wanted: str | None) -> str:
    played = list(dict.fromkeys(scenario for _, scenario in run.played()))
    writing = [name for name in played if scenario_of(run, name).writes]
    if wanted is not None:
        if wanted not in played:
            raise UsageError(f"{run.path} has no scenario '{wanted}'{did_you_mean(wanted, played)}")
        if wanted not in writing:
            raise UsageError(f"scenario '{wanted}' has no texts that people could judge")
        return wanted
    if len(writing) != 1:
        told = ", ".join(writing) or "none"
        raise UsageError(f"say which scenario is to be annotated with --scenario (with texts: {told})")
    return writing[0]


def _question(run: RunDirectory, name: str, scenario: Scenario, wanted: Wanted, folder: Path) -> Question:
    asked = scenario.questions
    task = wanted.task or ("pairwise" if wanted.against is not None else None)
    fit = [one for one in asked if task in (None, one.judging.task) and one.judging.task in TASKS]
    rubric = _rubric(run, [one.rubric for one in fit], wanted.rubric, folder)
    if task is None:
        kinds = list(dict.fromkeys(one.judging.task for one in fit if one.rubric.name == rubric.name))
        task = "pointwise" if not kinds or "pointwise" in kinds else kinds[0]
    against = wanted.against
    if task == "pairwise" and against is None:
        rivals = {one.judging.against for one in fit if one.judging.task == task} - {None}
        base = run.run["suite"].get("baseline")
        against = rivals.pop() if len(rivals) == 1 else base
        if against is None:
            raise UsageError("say which model the others are compared with: --against MODEL")
    models = [model for model, of in run.played() if of == name]
    if against is not None and against not in models:
        raise UsageError(f"scenario '{name}' has no model '{against}'{did_you_mean(against, models)}")
    judging = Judging.model_validate(
        {"judge": HUMAN, "rubric": rubric.name, "task": task, "against": against}
    )
    return people_question(judging, rubric)


def _rubric(run: RunDirectory, known: Sequence[Rubric], wanted: str | None, folder: Path) -> Rubric:
    by_name = {rubric.name: rubric for rubric in known}
    if wanted is None:
        if len(by_name) != 1:
            told = f" (of its judges: {', '.join(by_name)})" if by_name else ""
            raise UsageError(f"say by which rubric people are to judge with --rubric{told}")
        return next(iter(by_name.values()))
    return by_name.get(wanted) or load_rubric(wanted, folder)


def import_sheets(run: RunDirectory, files: Sequence[Path]) -> Imported:
    """Check what came back and keep it in ``annotations.parquet``.

    Raises
    ------
    UsageError
        When anything in a file is at fault; nothing is then stored.
    """
    key = Key.read(run.path)
    if not key.ids:
        raise UsageError(
            f"no sheets were exported from {run.path} (it has no {FOLDER}/KEY.json);"
            f" begin with: genrec-eval annotate export {run.path}"
        )
    accepted = accept(read_all(files), key)
    if not accepted.rows:
        blank = sum(accepted.blank.values())
        raise UsageError(f"nothing is filled in: {blank:,} rows, all of them blank")
    table, replaced = merge(run.path, accepted.rows)
    with whole_file(run.path / FILE) as partial:
        pq.write_table(table, partial, compression="zstd")
    return Imported(
        accepted=accepted,
        open=_open(key, table),
        replaced=replaced,
        stale=_stale(run, key, table),
        total=len(table),
    )


def _open(key: Key, table: pa.Table) -> dict[str, int]:
    """What is still to come from the people who have sent something."""
    rows = table.select(["key", "claim"]).to_pylist()
    there = {(row["key"], row["claim"]) for row in rows}
    sheets = {id_: key.sheet(id_) for id_ in key.ids}
    open_: dict[str, int] = {}
    for sheet in sheets.values():
        if {row["key"] for row in rows}.isdisjoint(sheet.items):
            continue
        for item in sheet.items.values():
            claims = range(len(item.claims)) if item.claims else (None,)
            missing = sum((item.id, claim) not in there for claim in claims)
            open_[str(item.annotator)] = open_.get(str(item.annotator), 0) + missing
    return open_


def _stale(run: RunDirectory, key: Key, table: pa.Table) -> int:
    keys = table.column("key").to_pylist()
    stale = 0
    for id_ in key.ids:
        sheet = key.sheet(id_)
        items = {**sheet.items, **sheet.identical}
        mine = [one for one in keys if one in items]
        if mine:
            question = people_question(sheet.judging, sheet.rubric)
            exhibits = exhibits_of(run, sheet.scenario, scenario_of(run, sheet.scenario))
            now = digests_now(question, exhibits, run.run["seed"], sheet.scenario)
            stale += sum(now.get(items[one].place) != items[one].digest for one in mine)
    return stale
