"""What a suite says of judges, held against the rubrics and dialects that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.judging.policy import Judging
from genrec_eval.judging.question import Question
from genrec_eval.scenarios.base import SCENARIOS
from genrec_eval.suite.references import Fault
from genrec_eval.suite.schema import Judge, Play, Suite, find, is_slug

if TYPE_CHECKING:
    from genrec_eval.judging.dialect import Dialect
    from genrec_eval.judging.types import Rubric

_SIMPLE = re.compile(r"[A-Za-z0-9_.@-]+")
"""Ids of metrics that can stand in the id of another one."""
_TIELESS = ("pointwise", "claims")


def questions(suite: Suite, scenario: str, folder: Path) -> tuple[Question, ...]:
    """What judges are asked in a scenario, with rubrics and dialects read.

    Raises
    ------
    UsageError
        When a file is missing or wrong.
    """
    entries = suite.scenarios[scenario].judging
    return tuple(_question(suite, judging, folder) for judging in entries)


def _question(suite: Suite, judging: Judging, folder: Path) -> Question:
    rubric = _rubric(judging.rubric, folder)
    judges = {name: suite.judges[name] for name in judging.panel}
    scales = {name: _dialect(judge.dialect, folder).scale_of(rubric) for name, judge in judges.items()}
    if judging.task == "pointwise" and len(set(scales.values())) > 1:
        told = ", ".join(f"{name} {low} to {high}" for name, (low, high) in scales.items())
        raise UsageError(f"the judges of a panel score on different scales ({told}); their mean says nothing")
    low, high = next(iter(scales.values()))
    return Question(judging=judging, rubric=rubric, policies=dict(judges), scale=(float(low), float(high)))


def judge_faults(suite: Suite, folder: Path) -> Iterator[Fault]:
    """What is amiss with judges, rubrics and dialects; this reads their files."""
    for name, judge in suite.judges.items():
        yield from _of_judge(name, judge, folder)
    named: dict[str, tuple[str, Rubric]] = {}
    for name, entry in suite.scenarios.items():
        yield from _of_entry(suite, name, entry, folder, named)


def _of_judge(name: str, judge: Judge, folder: Path) -> Iterator[Fault]:
    kinds = _kinds(judge.model)
    if kinds is not None and "chat" not in kinds:
        cure = "; write kinds: [chat]" if hasattr(judge.model, "kinds") else ""
        said = f"a judge must answer chat, and this model answers {' and '.join(sorted(kinds))}{cure}"
        yield ("judges", name, "model"), said
    try:
        dialect = _dialect(judge.dialect, folder)
    except UsageError as error:
        yield ("judges", name, "dialect"), str(error)
        return
    silent = getattr(judge.model, "adapter", None) in ("replay", "reference")
    reads = all(script.parser.reads_logprobs for script in dialect.tasks.values())
    if silent and (reads or judge.score_mode == "expected"):
        key = "dialect" if reads else "score_mode"
        what = f"dialect '{dialect.name}'" if reads else "score_mode expected"
        adapter = getattr(judge.model, "adapter", None)
        said = f"{what} reads log-probabilities, and the adapter '{adapter}' gives none"
        yield ("judges", name, key), said


def _kinds(model: Any) -> Any:
    """What a model answers, where that can be told without building it."""
    adapter = getattr(model, "adapter", None)
    if adapter == "reference":
        from genrec_eval.reference.base import REFERENCE

        return getattr(REFERENCE.get(model.model), "kinds", None)
    if adapter == "logged":
        return ("log",)
    return None if adapter == "python" else getattr(model, "kinds", None)  # a class in Python says its own


def _of_entry(
    suite: Suite, name: str, entry: Play, folder: Path, named: dict[str, tuple[str, Rubric]]
) -> Iterator[Fault]:
    measured: dict[str, int] = {}
    for index, judging in enumerate(entry.judging):
        path = ("scenarios", name, "judging", index)
        try:
            rubric = _rubric(judging.rubric, folder)
        except UsageError as error:
            yield (*path, "rubric"), str(error)
            continue
        spelled, known = named.setdefault(rubric.name, (judging.rubric, rubric))
        if known != rubric:
            said = (
                f"'{judging.rubric}' is named '{rubric.name}' like '{spelled}', and says otherwise: their"
                " judgements and figures could not be told apart; rename one of them"
            )
            yield (*path, "rubric"), said
        for judge in judging.panel:
            yield from _fit(suite.judges[judge], judge, judging, rubric, folder, path)
        key = f"{judging.task} {judging.panel} {rubric.name} {judging.against}"
        if key in measured:
            yield path, f"asks the same as judging.{measured[key]}: same task, judges and rubric"
        measured.setdefault(key, index)
        try:
            _question(suite, judging, folder)
        except UsageError as error:
            if "different scales" in str(error):
                yield path, str(error)
        yield from _controls(suite, name, entry, judging, folder, (*path, "control"))
        players = [model for model in suite.models if suite.takes_part(model, name)]
        if judging.task in ("pairwise", "listwise") and len(players) < 2:
            yield path, f"task '{judging.task}' compares models, and '{name}' has {len(players)}"


def _controls(
    suite: Suite, name: str, entry: Play, judging: Judging, folder: Path, path: tuple[str | int, ...]
) -> Iterator[Fault]:
    wanted = [one for one in judging.control if one != "length"]
    if not wanted:
        return
    scenario = find(SCENARIOS, entry.scenario, folder)(entry.options, suite.seed)
    try:
        simple = [metric.id for metric in scenario.metrics() if _SIMPLE.fullmatch(metric.id)]
        known = list(dict.fromkeys(["length", *simple]))
    except UsageError:
        return  # said where the metrics are named
    for one in wanted:
        if one not in known:
            said = f"no covariate '{one}' in '{name}'{did_you_mean(one, known)} (known: {', '.join(known)})"
            yield path, said


def _fit(
    judge: Judge, name: str, judging: Judging, rubric: Rubric, folder: Path, path: tuple[str | int, ...]
) -> Iterator[Fault]:
    if judge.on_unparsed == "tie" and judging.task in _TIELESS:
        said = (
            f"a {judging.task} verdict has no tie, which judge '{name}' counts for one that is missing"
            " (on_unparsed: tie); use exclude, loss or raise"
        )
        yield (*path, "judge"), said
    try:
        dialect = _dialect(judge.dialect, folder)
    except UsageError:
        return  # said at the judge
    try:
        dialect.check(judging.task, rubric, score_mode=judge.score_mode)
    except UsageError as error:
        yield (*path, "judge"), f"judge '{name}': {error}"


def _rubric(name: str, folder: Path) -> Rubric:
    from genrec_eval.judging.rubric import load_rubric

    rubric = load_rubric(name, folder)
    if not is_slug(rubric.name):
        raise UsageError(
            f"a metric cannot name the rubric '{rubric.name}': rename it with letters, digits, - _ ."
        )
    return rubric


def _dialect(name: str, folder: Path) -> Dialect:
    from genrec_eval.judging.dialect import load_dialect

    return load_dialect(name, folder)
