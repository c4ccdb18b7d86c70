"""What a run holds on its judges: what they were asked, what they said, and what they were probed with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.reporting.results import mapping

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.engine.rundir import RunDirectory
    from genrec_eval.judging.audit.audit import JudgeAudit
    from genrec_eval.judging.audit.labels import Labels
    from genrec_eval.reporting.judge_probes import ProbeFigures

EXAMPLES = 5
"""Judgements of a kind that are shown."""
ON_PROBES = "probes cannot show it; have the judge judge answers of models in a run"
BY_PROBES = "measured by the probes"
_MISSING = {
    "verbosity": BY_PROBES,
    "injection": BY_PROBES,
    **dict.fromkeys(("self_preference", "human", "panel", "degenerate"), ON_PROBES),
}


@dataclass(frozen=True, slots=True)
class Example:
    """A judgement worth reading, or several that belong together.

    Attributes
    ----------
    title
        What is to be seen in it.
    texts
        Heading → what the judge wrote.
    """

    title: str
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One question to the judge, with its audit.

    Attributes
    ----------
    scenarios
        Where it was asked.
    probed
        Whether it was asked probes, and not about answers of models.
    probe
        Figures of all probes of a scenario, on the first of its parts.
    prompt
        Role and text of each message of one prompt, as it was sent; empty when the run does not hold it.
    """

    audit: JudgeAudit
    scenarios: tuple[str, ...]
    policy: str
    dialect: Mapping[str, Any]
    rubric: Mapping[str, Any]
    probed: bool = False
    probe: ProbeFigures | None = None
    prompt: tuple[tuple[str, str], ...] = ()
    unparsed: tuple[Example, ...] = ()
    flipped: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeMaterial:
    """Everything on one judge."""

    name: str
    about: Mapping[str, Any]
    parts: tuple[Part, ...] = field(default=())


def judges_of(directory: RunDirectory) -> dict[str, list[str]]:
    """Judge → where it judged: ``judgements`` or a scenario in which it was probed."""
    from genrec_eval.engine.rundir import JUDGEMENTS_FILE

    found: dict[str, list[str]] = {}
    if (directory.path / JUDGEMENTS_FILE).is_file():
        for name in directory.run.get("judges") or {}:
            found.setdefault(name, []).append("judgements")
    for model, scenario in directory.played():
        if _is_probe(directory, scenario):
            found.setdefault(model, []).append(scenario)
    return found


def read_judges(
    directory: RunDirectory,
    *,
    judge: str | None = None,
    labels: Labels | None = None,
    own: str | None = None,
) -> list[JudgeMaterial]:
    """Audit the judges of a run.

    Parameters
    ----------
    judge
        Only this one.
    labels
        What people said; the annotations of the run when None, where it has any.
    own
        The model that is of the judge's own family.

    Raises
    ------
    UsageError
        When the run has no judges, not this one, or labels fit nothing.
    """
    known = judges_of(directory)
    if not known:
        raise UsageError(
            f"{directory.path} has no judges: nothing in it was judged, and no scenario judge-probe was"
            " played"
        )
    if judge is not None and judge not in known:
        raise UsageError(
            f"{directory.path} has no judge '{judge}'{did_you_mean(judge, known)}"
            f" (it has: {', '.join(known)})"
        )
    models = list(mapping(mapping(directory.run.get("suite")).get("models")))
    if own is not None and own not in models:
        raise UsageError(f"--own '{own}': the run has no such model{did_you_mean(own, models)}")
    wanted = [judge] if judge is not None else list(known)
    parts: dict[str, list[Part]] = {name: [] for name in wanted}
    for name, part in _judged(directory, wanted, labels, own):
        parts[name].append(part)
    for name in wanted:
        for scenario in known[name]:
            if scenario != "judgements":
                parts[name] += _probed(directory, name, scenario)
    return [
        JudgeMaterial(name=name, about=_about(directory, name), parts=tuple(found))
        for name, found in parts.items()
        if found
    ]


def _is_probe(directory: RunDirectory, scenario: str) -> bool:
    declared = mapping(mapping(mapping(directory.run.get("suite")).get("scenarios")).get(scenario))
    return declared.get("scenario") == "judge-probe"


def _about(directory: RunDirectory, name: str) -> Mapping[str, Any]:
    of_judge = mapping(mapping(directory.run.get("judges")).get(name))
    if of_judge:
        return of_judge
    found = mapping(mapping(directory.run.get("models")).get(name))
    flat = any(key in found for key in ("identity", "description", "planted"))
    return found if flat else mapping(next(iter(found.values()), None))


def _judged(
    directory: RunDirectory, wanted: list[str], labels: Labels | None, own: str | None
) -> Iterator[tuple[str, Part]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from genrec_eval.engine.rundir import JUDGEMENTS_FILE
    from genrec_eval.judging.audit.audit import audit_judge
    from genrec_eval.judging.audit.labels import NothingJoined
    from genrec_eval.judging.audit.verdicts import questions

    path = directory.path / JUDGEMENTS_FILE
    if not path.is_file():
        return
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read ({error}); run the suite again to rebuild it") from None
    answers, prompts = _answers(directory, table)
    models = {one for name in ("model", "other") for one in _words(table, name) if one}
    run, joined, fault = directory.run, labels is None, None
    journal = _Sent(directory.path / "journal.sqlite")
    for judge, dialect, rubric, task in questions(table):
        if judge not in wanted:
            continue
        own_rows = table.filter(_mask(table, judge=judge, dialect=dialect, rubric=rubric, task=task))
        scenarios = tuple(dict.fromkeys(_words(own_rows, "scenario")))
        given = labels or _annotations(directory, scenarios, rubric, task)
        how: dict[str, Any] = {
            "judge": judge,
            "dialect": dialect,
            "rubric": rubric,
            "task": task,
            "answers": answers,
            "prompts": prompts,
            "authors": {model: model for model in models},
            "own": own,
            "seconds": journal.seconds(_words(own_rows, "key")),
            "seed": run["seed"],
        }
        try:
            audit = audit_judge(table, given, **how)
            joined = True
        except NothingJoined as error:
            fault = fault or error
            audit = audit_judge(table, None, **how)
            audit = dataclasses.replace(audit, missing={**audit.missing, "human": str(error)})
        except UsageError as error:
            if "was never asked" not in str(error):
                raise
            continue
        about = mapping(mapping(run.get("judges")).get(judge))
        key = next((key for key in _words(own_rows, "key") if key), None)
        yield (
            judge,
            Part(
                audit=audit,
                scenarios=scenarios,
                policy=str(about.get("policy") or ""),
                dialect=mapping(about.get("dialect")),
                rubric=mapping(mapping(run.get("rubrics")).get(rubric)) or _named(run, rubric),
                prompt=journal.prompt(key),
                unparsed=unparsed_examples(own_rows),
                flipped=flipped_examples(own_rows),
            ),
        )
    if not joined and fault is not None:
        raise fault


def _named(run: Mapping[str, Any], rubric: str) -> Mapping[str, Any]:
    """A rubric that a suite names by its file."""
    found = (mapping(one) for one in mapping(run.get("rubrics")).values())
    return next((one for one in found if one.get("name") == rubric), {})


def _annotations(
    directory: RunDirectory, scenarios: tuple[str, ...], rubric: str, task: str
) -> Labels | None:
    from genrec_eval.judging.annotation.stored import labels as stored
    from genrec_eval.judging.annotation.stored import read_annotations

    if len(scenarios) != 1 or read_annotations(directory.path) is None:
        return None
    try:
        return stored(directory.path, scenarios[0], rubric, task)
    except UsageError:  # people were asked something else
        return None


def _answers(
    directory: RunDirectory, table: pa.Table
) -> tuple[dict[str, dict[str, str | None]], dict[str, str]]:
    """Model → case → text of everything that could be judged, and case → what was asked."""
    from genrec_eval.audit.run_tables import scenario_of

    answers: dict[str, dict[str, str | None]] = {}
    prompts: dict[str, str] = {}
    judged = dict.fromkeys(_words(table, "scenario"))
    for name in judged:
        scenario = scenario_of(directory, name)
        if not scenario.writes:
            continue
        cases, context = directory.cases(name), directory.context(name)
        for model in [model for model, of in directory.played() if of == name]:
            shown = model if len(judged) == 1 else f"{model} in {name}"
            for one in scenario.exhibits(cases, context, directory.records(model, name)):
                case = f"{name}|{one.case}|{one.repeat}|{one.step}"
                answers.setdefault(shown, {})[case] = one.answer
                prompts[case] = f"{one.prompt}\n\n{one.context or ''}"
    return answers, prompts


def _probed(directory: RunDirectory, judge: str, scenario: str) -> list[Part]:
    from genrec_eval.judging.audit.audit import audit_judge
    from genrec_eval.judging.audit.verdicts import questions
    from genrec_eval.judging.question import rubric_to_json
    from genrec_eval.reporting.judge_probes import injected_tables, probe_figures
    from genrec_eval.scenarios.probing.asking import Questions
    from genrec_eval.scenarios.probing.reading import probe_judgements

    asked = Questions(directory.cases(scenario), directory.context(scenario))
    table = probe_judgements(asked, directory.records(judge, scenario), scenario=scenario, judge=judge)
    figures = probe_figures(directory, judge, scenario, asked, table)
    journal = _Sent(directory.path / "journal.sqlite")
    policy = f"dialect:{asked.dialect.name}|orders:both|score_mode:{asked.score_mode}|fence:{asked.fence}"
    dialect = {
        "name": asked.dialect.name,
        "version": asked.dialect.version,
        "digest": asked.dialect.digest,
        "description": asked.dialect.description,
        "decoding": asked.dialect.decoding,
    }
    parts: list[Part] = []
    for _, _, rubric, task in questions(table):
        own_rows = table.filter(_mask(table, rubric=rubric, task=task))
        how: dict[str, Any] = {
            "judge": judge,
            "rubric": rubric,
            "task": task,
            "seconds": journal.seconds(_words(own_rows, "key")),
            "seed": directory.run["seed"],
        }
        try:
            audit = audit_judge(table, **how)
        except UsageError as error:
            if "was never asked" not in str(error):
                raise
            continue
        pairwise = task == "pairwise"
        probe = None
        missing = {**audit.missing, **_MISSING}
        if pairwise and (found := injected_tables(own_rows)) is not None:
            from genrec_eval.judging.audit.injection import injection

            probe = injection(*found, injector="other", judge=judge, seed=directory.run["seed"])
            missing.pop("injection", None)
        audit = dataclasses.replace(
            audit, verbosity=None, self_preference=None, injection=probe, panel=None, missing=missing
        )
        key = next((key for key in _words(own_rows, "key") if key), None)
        parts.append(
            Part(
                audit=audit,
                scenarios=(scenario,),
                policy=policy,
                dialect=dialect,
                rubric=rubric_to_json(asked.rubrics[rubric]),
                probed=True,
                probe=None if parts else figures,
                prompt=journal.prompt(key),
                unparsed=unparsed_examples(own_rows),
                flipped=flipped_examples(own_rows),
            )
        )
    return parts


def unparsed_examples(table: pa.Table) -> tuple[Example, ...]:
    """The first few judgements without a verdict, those with a text before those without."""
    import pyarrow as pa
    import pyarrow.compute as pc

    silent = pa.array(["unparsed", "refused", "truncated", "api_error"])
    rows = table.filter(pc.is_in(table["status"].cast(pa.string()), silent)).to_pylist()
    rows.sort(key=lambda row: row["raw"] is None)
    return tuple(
        Example(
            f"{row['status'].replace('_', ' ')}: {row['reason'] or 'no reason was recorded'} ({_place(row)})",
            (("What the judge wrote", row["raw"] if row["raw"] is not None else "nothing came back"),),
        )
        for row in rows[:EXAMPLES]
    )


def flipped_examples(table: pa.Table) -> tuple[Example, ...]:
    """The first few pairs on which the order changes the verdict."""
    import pyarrow as pa
    import pyarrow.compute as pc

    judged = table.filter(pc.equal(table["status"].cast(pa.string()), "ok"))
    both: dict[tuple[Any, ...], dict[str, dict[str, Any]]] = {}
    for row in judged.to_pylist():
        if row["order"] is not None and row["raw"] is not None:
            key = tuple(
                row[name] for name in ("scenario", "case", "model", "other", "repeat", "step", "sample")
            )
            both.setdefault(key, {})[row["order"]] = row
    found = []
    for pair in both.values():
        if len(pair) == 2 and _side(pair["given"]) != _side(pair["swapped"]):
            given, swapped = pair["given"], pair["swapped"]
            found.append(
                Example(
                    f"{_said(given)} in the given order, {_said(swapped)} in the other ({_place(given)})",
                    (
                        (f"{given['model']} shown first", given["raw"]),
                        (f"{given['other']} shown first", swapped["raw"]),
                    ),
                )
            )
            if len(found) == EXAMPLES:
                break
    return tuple(found)


def _side(row: Mapping[str, Any]) -> int:
    return (row["value"] > 0.5) - (row["value"] < 0.5)


def _said(row: Mapping[str, Any]) -> str:
    return {1: f"for {row['model']}", 0: "a tie", -1: f"for {row['other']}"}[_side(row)]


def _place(row: Mapping[str, Any]) -> str:
    whose = f"{row['model']} against {row['other']}" if row["other"] else row["model"]
    order = f", {row['order']}" if row["order"] else ""
    return f"{whose}, case {row['case']}{order}"


def _words(table: pa.Table, column: str) -> list[str]:
    import pyarrow as pa

    return [str(word) for word in table[column].cast(pa.string()).to_pylist() if word is not None]


def _mask(table: pa.Table, **wanted: str) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    keep = None
    for name, word in wanted.items():
        here = pc.equal(pc.fill_null(table[name].cast(pa.string()), ""), word)
        keep = here if keep is None else pc.and_(keep, here)
    return keep


class _Sent:
    """What the journal holds of exchanges: times and prompts. None of it where there is no journal."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def seconds(self, keys: list[str]) -> dict[str, float]:
        """Key → duration of its latest exchange."""
        rows = self._rows(
            "SELECT key, sent, ended FROM exchanges WHERE sent IS NOT NULL AND ended IS NOT NULL"
        )
        wanted = {*keys}
        return {key: ended - sent for key, sent, ended in rows if key in wanted}

    def prompt(self, key: str | None) -> tuple[tuple[str, str], ...]:
        """Role and text of each message."""
        import json

        rows = [] if key is None else self._rows("SELECT request FROM exchanges WHERE key = ? LIMIT 1", key)
        if not rows:
            return ()
        try:
            messages = json.loads(rows[0][0])["messages"]
            return tuple((str(one["role"]), str(one["content"])) for one in messages)
        except (ValueError, KeyError, TypeError):
            return ()

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        import sqlite3
        from contextlib import closing

        if not self.path.is_file():
            return []
        try:  # read only: a page about a run changes nothing in it
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)) as db:
                return list(db.execute(query, values))
        except sqlite3.DatabaseError:
            return []
