"""Judges: what they were asked, how many verdicts can be read, and how far they agree with themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError
from genrec_eval.core.numbers import count, exact, figure, money
from genrec_eval.reporting.judged import TASKS, Asked, asked_of, column_titles
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.tables import Table, matrix
from genrec_eval.reporting.text import line, listing, plural

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.engine.rundir import RunDirectory
    from genrec_eval.judging.audit.verdicts import Verdicts
    from genrec_eval.scenarios.base import Scenario
    from genrec_eval.stats.sums import Measure

_MOST = 20_000
"""Judgements of one question up to which intervals are resampled here; beyond them the audit has them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One judge on one question."""

    judge: str
    question: str
    judgements: str
    verdicts: str
    lost: str
    orders: str
    first: str
    again: str
    spent: str


@dataclass(frozen=True, slots=True)
class Judges:
    """All about the judges of one scenario; with ``fault`` where their judgements cannot be read.

    Attributes
    ----------
    questions
        (what was asked of whom, the criterion in words).
    tables
        The figures of all questions.
    lead
        What must be known before a figure is read.
    judges
        (name, who it is and how it is asked and read).
    warnings
        (model, why its texts must not be judged).
    panels
        A sentence per panel on how far its judges agree.
    """

    questions: list[tuple[str, str]]
    tables: list[Table]
    rows: list[Row]
    lead: list[str]
    judges: list[tuple[str, str]]
    warnings: list[tuple[str, str]]
    panels: list[str]
    fault: str = ""


def judges(
    results: Results, run: Mapping[str, Any], directory: Path, scenario: str, order: Sequence[str]
) -> Judges | None:
    """The judges of a scenario; None where nobody was asked."""
    asked = asked_of(results, scenario)
    declared = mapping(mapping(mapping(run.get("suite")).get("scenarios")).get(scenario))
    if not asked and not declared.get("judging"):
        return None
    questions = [(line(one.title, 300), _criterion(run, one.rubric)) for one in asked]
    titles = column_titles(asked)
    tables = [
        replace(table, caption=_wins(results, scenario, asked, table, order) or table.caption)
        for table in matrix(results, scenario, list(titles), order, titles=titles)
    ]
    names = _names(declared)
    rows: list[Row] = []
    warnings: list[tuple[str, str]] = []
    panels: list[str] = []
    fault = ""
    if (directory / "judgements.parquet").is_file():
        try:
            rows, panels, warnings = _measured(run, directory, scenario)
        except (UsageError, KeyError, TypeError, ValueError) as error:
            fault = line(f"The judgements cannot be read: {error}", 400)
    about = [(name, _judge(run, name, declared)) for name in names]
    return Judges(questions, tables, rows, _lead(run, names, asked), about, warnings, panels, fault)


def _wins(results: Results, scenario: str, asked: Sequence[Asked], table: Table, order: Sequence[str]) -> str:
    """Who wins against the model that pairs are compared with, and who loses, by question."""
    shown = [column.metric for column in table.columns]
    several = len({one.judge for one in asked}) > 1
    found = []
    for one in asked:
        metric = next((m for m in one.metrics if m.startswith("win_rate(") and m in shown), None)
        wins: list[str] = []
        loses: list[str] = []
        even: list[str] = []
        for model in order if metric else ():
            row = results.get(scenario, str(metric), model)
            if row is not None and row.low is not None and row.high is not None:
                (wins if row.low > 0.5 else loses if row.high < 0.5 else even).append(model)
        said = [
            f"{listing(names)} {word if len(names) == 1 else words}"
            for names, word, words in (
                (wins, "wins", "win"),
                (loses, "loses", "lose"),
                (even, "cannot be told from it", "cannot be told from it"),
            )
            if names
        ]
        if said:
            whose = f" ({one.judge.replace('+', ' and ')})" if several else ""
            found.append(f"By {one.rubric}{whose}, against {one.against}: {'; '.join(said)}")
    return line(". ".join(found), 900)


def _names(declared: Mapping[str, Any]) -> list[str]:
    found: dict[str, None] = {}
    for entry in declared.get("judging") or ():
        judge = mapping(entry).get("judge")
        found.update(dict.fromkeys([judge] if isinstance(judge, str) else list(judge or ())))
    return list(found)


def _criterion(run: Mapping[str, Any], rubric: str) -> str:
    return line(mapping(mapping(run.get("rubrics")).get(rubric)).get("criterion") or "", 600)


def _measured(
    run: Mapping[str, Any], directory: Path, scenario: str
) -> tuple[list[Row], list[str], list[tuple[str, str]]]:
    from genrec_eval.engine.rundir import RunDirectory
    from genrec_eval.protocol.tables import JUDGEMENTS

    tables = RunDirectory.open(directory)
    wanted = [name for name in JUDGEMENTS.names if name not in ("raw", "logprobs", "text", "reason")]
    table = tables.judgements(scenario, [*wanted, "reason"])
    seed = int(run.get("seed") or 0)
    rows, panels = [], []
    for other, part in _by_other(table):
        rows += _rows(run, scenario, part, other, seed)
        panels += _panels(run, part, other, seed)
    return rows, panels, _degenerate(tables, scenario, table, seed)


def _by_other(table: pa.Table) -> list[tuple[str | None, pa.Table]]:
    """Judgements by the model that pairs are compared with; None where there are no pairs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    others = table.column("other").cast(pa.string())
    found = []
    for other in others.unique().to_pylist():
        mask = pc.is_null(others) if other is None else pc.fill_null(pc.equal(others, other), False)
        found.append((other, table.filter(mask)))
    return found


def _rows(run: Mapping[str, Any], scenario: str, table: pa.Table, other: str | None, seed: int) -> list[Row]:
    from genrec_eval.judging.audit.verdicts import questions, verdicts_of

    found = []
    for judge, dialect, rubric, task in questions(table):
        verdicts = verdicts_of(table, judge=judge, dialect=dialect, rubric=rubric, task=task)
        against = f" against {line(other, 60)}" if other else ""
        title = f"{_title(run, rubric)}, {TASKS.get(task, task)}{against}"
        found.append(_row(run, scenario, verdicts, (judge, title, other), seed))
    return found


def _row(
    run: Mapping[str, Any],
    scenario: str,
    verdicts: Verdicts,
    whose: tuple[str, str, str | None],
    seed: int,
) -> Row:
    from genrec_eval.judging.audit.position import position
    from genrec_eval.judging.audit.stability import stability
    from genrec_eval.stats.sums import share_of

    judge, title, other = whose
    few = seed if len(verdicts) <= _MOST else None
    lost: dict[str, int] = {}
    for status in verdicts.status.tolist():
        if status != "ok":
            lost[status] = lost.get(status, 0) + 1
    read = share_of(verdicts.judged, units=verdicts.unit, seed=few, level=0.95) if len(verdicts) else None
    orders = first = "—"
    if verdicts.pairwise and len(verdicts):
        found = position(verdicts, seed=few)
        orders, first = _shown(found.consistency), _shown(found.first_share)
    again = "asked once"
    if len(verdicts) and (verdicts.sample > 0).any():
        again = _shown(stability(verdicts, seed=few).pairs)
    return Row(
        judge=judge,
        question=title,
        judgements=count(len(verdicts)),
        verdicts="—" if read is None else _shown(read),
        lost=listing([f"{count(n)} {status.replace('_', ' ')}" for status, n in sorted(lost.items())]),
        orders=orders,
        first=first,
        again=again,
        spent=_spent(run, scenario, judge, verdicts.rubric, verdicts.task, other),
    )


def _shown(measure: Measure) -> str:
    if measure.value is not None and measure.low is None:
        return f"{exact(round(100 * measure.value, 1))} %"
    return str(figure(measure.value, measure.low, measure.high, unit="share", reason=measure.reason))


def _spent(
    run: Mapping[str, Any], scenario: str, judge: str, rubric: str, task: str, other: str | None
) -> str:
    for played in mapping(mapping(run.get("judges")).get(judge)).get("played") or ():
        one = mapping(played)
        asked = (one.get("scenario"), one.get("rubric"), one.get("task"), one.get("against"))
        if asked != (scenario, rubric, task, other):
            continue
        said = [f"{plural(int(one.get('calls') or 0), 'call')}"]
        if one.get("cached"):
            said.append(f"{count(one['cached'])} from cache")
        if one.get("input_tokens") or one.get("output_tokens"):
            said.append(f"{count(one.get('input_tokens'))} tokens in, {count(one.get('output_tokens'))} out")
        if one.get("cost") is not None:
            said.append(money(one["cost"]))
        if one.get("texts_cut"):
            said.append(f"{plural(int(one['texts_cut']), 'text')} cut to fit")
        return ", ".join(said)
    return "—"


def _panels(run: Mapping[str, Any], table: pa.Table, other: str | None, seed: int) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.judging.audit.panel import panel
    from genrec_eval.judging.audit.verdicts import questions

    said = []
    asked = questions(table)
    for rubric, task in dict.fromkeys(one[2:] for one in asked):
        names = list(dict.fromkeys(one[0] for one in asked if one[2:] == (rubric, task)))
        if len(names) < 2 or len(table) > _MOST:
            continue
        same = pc.and_(
            pc.equal(table.column("task").cast(pa.string()), task),
            pc.equal(table.column("rubric").cast(pa.string()), rubric),
        )
        try:
            found = panel(table.filter(same), judges=names, rubric=rubric, seed=seed)
        except UsageError as error:
            said.append(line(f"{_title(run, rubric)}: {error}", 300))
            continue
        alpha = figure(found.alpha.value, found.alpha.low, found.alpha.high, reason=found.alpha.reason)
        against = f" against {line(other, 60)}" if other else ""
        said.append(
            f"{_title(run, rubric)}{against}: {listing([line(name, 60) for name in names])} agree to"
            f" Krippendorff's alpha {alpha} (1 is perfect, 0 is chance)."
        )
    return said


def _title(run: Mapping[str, Any], rubric: str) -> str:
    return line(mapping(mapping(run.get("rubrics")).get(rubric)).get("title") or rubric, 80)


def _degenerate(tables: RunDirectory, scenario: str, table: pa.Table, seed: int) -> list[tuple[str, str]]:
    """Models whose judged texts do not depend on what was asked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.audit.run_tables import scenario_of
    from genrec_eval.judging.audit.degenerate import degenerate

    kind: Scenario = scenario_of(tables, scenario)
    ids = table.column("case").cast(pa.string()).unique()
    cases = tables.cases(scenario)
    cases = cases.filter(pc.is_in(cases.column("case").cast(pa.string()), value_set=ids))
    found = []
    for model, of in tables.played():
        if of != scenario:
            continue
        records = (
            batch.filter(pc.is_in(batch.column("case").cast(pa.string()), value_set=ids))
            for batch in tables.records(model, scenario, kind.reads)
        )
        shown = [one for one in kind.exhibits(cases, tables.context(scenario), records) if not one.repeat]
        facts = [one.context or one.prompt for one in shown]
        guard = degenerate([one.answer for one in shown], facts, seed=seed)
        if guard.tripped:
            found.append((model, guard.sentence))
    return found


def _lead(run: Mapping[str, Any], names: Sequence[str], asked: Sequence[Asked]) -> list[str]:
    """Who the judges are, and what is known of their worth."""
    known = mapping(run.get("judges"))
    rules = [line(name, 60) for name in names if mapping(known.get(name)).get("adapter") == "reference"]
    measured = [name for name in names if _measured_by_people(name, asked)]
    others = [line(name, 60) for name in names if name not in measured]
    said = []
    if rules:
        verb, what = ("goes", "it is") if len(rules) == 1 else ("go", "they are")
        said.append(
            f"{_named(rules)} {verb} by rules that come with genrec-eval: {what} no person and no language"
            " model."
        )
    if others:
        agree, whose = ("agrees", "its") if len(others) == 1 else ("agree", "their")
        who = _named(others)
        said.append(
            f"How far {who[0].lower()}{who[1:]} {agree} with people was not measured, and {whose} figures are"
            " worth no more than that: genrec-eval annotate export writes sheets for people, genrec-eval"
            " judge audit tells the rest."
        )
    if measured:
        said.append(f"Agreement with people stands beside the figures of {listing(measured)}.")
    return said


def _named(names: list[str]) -> str:
    return f"{'Judge' if len(names) == 1 else 'Judges'} {listing(names)}"


def _measured_by_people(name: str, asked: Sequence[Asked]) -> bool:
    return any(
        metric.startswith("human_agreement(") and name in one.judge.split("+")
        for one in asked
        for metric in one.metrics
    )


def _judge(run: Mapping[str, Any], name: str, declared: Mapping[str, Any]) -> str:
    known = mapping(mapping(run.get("judges")).get(name))
    policy = mapping(mapping(mapping(run.get("suite")).get("judges")).get(name))
    tasks = {
        str(mapping(entry).get("task") or "pointwise")
        for entry in declared.get("judging") or ()
        if name in _names({"judging": [entry]})
    }
    identity = mapping(known.get("identity"))
    adapter, model = (line(identity.get(key) or "", 120) for key in ("adapter", "model"))
    who = [line(known.get("description") or policy.get("description") or "", 300).rstrip(".")]
    if model or adapter:
        who.append(f"{model or 'A model'} of the adapter {adapter}" if adapter else model)
    if known.get("planted"):
        who.append(f"It has a planted flaw: {line(known['planted'], 200).replace('_', ' ')}")
    said = [f"{one}." for one in who if one]
    return " ".join([*said, policy_words(policy, tasks, mapping(known.get("dialect")))])


def policy_words(policy: Mapping[str, Any], tasks: set[str], dialect: Mapping[str, Any]) -> str:
    """How a judge is asked and read, in sentences.

    >>> policy_words({"orders": "both", "on_disagree": "tie"}, {"pairwise"}, {})
    'Each pair is shown in both orders; where they disagree, it is a tie.'
    """
    said = []
    if dialect.get("name"):
        version = f", version {dialect['version']}" if dialect.get("version") is not None else ""
        said.append(f"In the dialect {line(dialect['name'], 60)}{version}.")
    if "pairwise" in tasks:
        apart = {
            "tie": "it is a tie",
            "half": "the pair counts as the mean of both",
            "drop": "the pair is left out and counted",
        }.get(str(policy.get("on_disagree")), "")
        orders = {
            "both": f"Each pair is shown in both orders{f'; where they disagree, {apart}' if apart else ''}.",
            "random": "Each pair is shown in one order, drawn by seed.",
            "given": "Each pair is shown in the given order only, so that position counts.",
        }
        said.append(orders.get(str(policy.get("orders")), ""))
    unparsed = {
        "exclude": "is left out and counted",
        "tie": "counts as a tie",
        "loss": "counts as a loss",
        "raise": "is an error",
    }.get(str(policy.get("on_unparsed")))
    if unparsed:
        said.append(f"A judgement without a verdict {unparsed}.")
    if isinstance(least := policy.get("min_coverage"), int | float) and least > 0:
        said.append(f"Below {exact(100 * least)} % with a verdict there is no figure.")
    if isinstance(times := policy.get("repeats"), int) and times > 1:
        said.append(f"Asked {times} times with fresh seeds; the {policy.get('combine') or 'mean'} counts.")
    if policy.get("score_mode") == "expected":
        said.append("Scores are expectations over its log-probabilities.")
    if policy.get("fence") is False:
        said.append("Texts are not marked as data in its prompt: one that gives orders may be obeyed.")
    return " ".join(filter(None, said))
