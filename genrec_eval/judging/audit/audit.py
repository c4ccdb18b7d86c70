"""The whole audit of one judge: every part that the data allow, and why the others are missing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.audit.cost import Cost, cost
from genrec_eval.judging.audit.degenerate import Degenerate, degenerate
from genrec_eval.judging.audit.human import HumanAgreement, OnUnparsed, human_agreement
from genrec_eval.judging.audit.injection import Injection, Injector, injection
from genrec_eval.judging.audit.labels import Labels, NothingJoined, join
from genrec_eval.judging.audit.panel import Panel, panel
from genrec_eval.judging.audit.parse_failures import ParseFailures, parse_failures
from genrec_eval.judging.audit.position import Position, position
from genrec_eval.judging.audit.self_preference import SelfPreference, self_preference
from genrec_eval.judging.audit.stability import Stability, stability
from genrec_eval.judging.audit.verbosity import Verbosity, verbosity
from genrec_eval.judging.audit.verdicts import questions, verdicts_of

_PAIRS_ONLY = "it is about pairs, and this judge scores single answers"
_NO_LABELS = "there are no labels of people; `genrec-eval annotate export` writes sheets for them"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeAudit:
    """What is known of one judge; a part that is None has its reason under ``missing``.

    Attributes
    ----------
    judge, dialect, rubric, task
        What was asked of whom.
    judgements, verdicts
        How many were asked for, and how many of them can be read.
    degenerate
        Model → what its texts have in common.
    missing
        Part → why it is not there.
    remarks
        Sentences on data that were not used.
    """

    judge: str
    dialect: str
    rubric: str
    task: str
    level: float
    judgements: int
    verdicts: int
    parse_failures: ParseFailures
    stability: Stability
    cost: Cost
    position: Position | None = None
    verbosity: Verbosity | None = None
    self_preference: SelfPreference | None = None
    human: HumanAgreement | None = None
    injection: Injection | None = None
    panel: Panel | None = None
    degenerate: Mapping[str, Degenerate] | None = None
    missing: Mapping[str, str]
    remarks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: missing is null with a reason beside it, and there is no NaN.

        >>> _plain({"a": math.nan, "b": (1, 2.5)})
        {'a': None, 'b': [1, 2.5]}
        """
        found: dict[str, Any] = _plain(dataclasses.asdict(self))
        return found


def audit_judge(
    judgements: pa.Table,
    labels: Labels | None = None,
    *,
    judge: str | None = None,
    dialect: str | None = None,
    rubric: str | None = None,
    task: str | None = None,
    on_unparsed: OnUnparsed = "exclude",
    answers: Mapping[str, Mapping[str, str | None]] | None = None,
    prompts: Mapping[str, str] | None = None,
    authors: Mapping[str, str] | None = None,
    own: str | None = None,
    injected: pa.Table | None = None,
    injector: Injector = "model",
    seconds: Mapping[str, float] | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> JudgeAudit:
    """Audit one judge.

    Parameters
    ----------
    judgements
        Schema JUDGEMENTS; other judges in it, asked the same, make a panel.
    labels
        What people said.
    judge, dialect, rubric, task
        Which, where the table has several (:func:`audit_judges` takes them all).
    on_unparsed
        What becomes of a judgement without a verdict in the agreement with people.
    answers, prompts
        Model → case → text, and case → prompt, for the guard against degenerate outputs.
    authors, own
        Model → who wrote for it, and which of those words is the judge.
    injected, injector
        Judgements of the same pairs with an order in the text of one of the two.
    seconds
        Key of an exchange → its duration.

    Raises
    ------
    UsageError
        When no judge or several fit, or labels are about nothing that was judged.
    """
    verdicts = verdicts_of(judgements, judge=judge, dialect=dialect, rubric=rubric, task=task)
    if not len(verdicts):
        raise UsageError(f"judge '{verdicts.judge}' was never asked: every judgement is of status not_asked")
    how: dict[str, Any] = {"seed": seed, "level": level}
    missing: dict[str, str] = {}
    joined = None if labels is None else join(labels, verdicts)
    human = None
    if joined is None:
        missing["human"] = _NO_LABELS
    else:
        human = human_agreement(verdicts, joined, on_unparsed=on_unparsed, **how)
    where = verbose = selfish = None
    if not verdicts.pairwise:
        missing |= dict.fromkeys(("position", "verbosity", "self_preference"), _PAIRS_ONLY)
    else:
        where = position(verdicts, **how)
        verbose = verbosity(verdicts, joined, **how)
        selfish = self_preference(verdicts, joined, authors, own, **how)
        if selfish.bias.value is None:
            missing["self_preference"] = selfish.bias.reason or "it is undefined"
            selfish = None
    probe = None
    if injected is None:
        missing["injection"] = "there are no judgements with an injected order"
    elif verdicts.pairwise:
        probe = injection(judgements, injected, injector=injector, judge=verdicts.judge, **how)
    else:
        missing["injection"] = _PAIRS_ONLY
    together = _panel(judgements, verdicts.rubric, verdicts.task, missing, how)
    guard = None
    if answers is None:
        missing["degenerate"] = "the answers were not given"
    else:
        guard = {model: _degenerate(texts, prompts, seed, level) for model, texts in sorted(answers.items())}
    remarks = () if joined is None or joined.remark is None else (joined.remark,)
    return JudgeAudit(
        judge=verdicts.judge,
        dialect=verdicts.dialect,
        rubric=verdicts.rubric,
        task=verdicts.task,
        level=level,
        judgements=len(verdicts),
        verdicts=int(verdicts.judged.sum()),
        parse_failures=parse_failures(verdicts, joined, **how),
        stability=stability(verdicts, **how),
        cost=cost(verdicts, seconds, **how),
        position=where,
        verbosity=verbose,
        self_preference=selfish,
        human=human,
        injection=probe,
        panel=together,
        degenerate=guard,
        missing=missing,
        remarks=remarks,
    )


def audit_judges(judgements: pa.Table, labels: Labels | None = None, **options: Any) -> list[JudgeAudit]:
    """An audit of everything that was asked of every judge, in order of appearance.

    Options are those of :func:`audit_judge`.

    Raises
    ------
    UsageError
        When labels are about nothing that any judge was asked.
    """
    found: list[JudgeAudit] = []
    fault: NothingJoined | None = None
    useful = labels is None
    for judge, dialect, rubric, task in questions(judgements):
        asked: dict[str, Any] = {"judge": judge, "dialect": dialect, "rubric": rubric, "task": task}
        try:
            found.append(audit_judge(judgements, labels, **asked, **options))
            useful = True
        except NothingJoined as error:
            fault = fault or error
            without = audit_judge(judgements, **asked, **options)
            missing = {**without.missing, "human": str(error)}
            found.append(dataclasses.replace(without, missing=missing))
    if fault is not None and not useful:
        raise fault
    return found


def _panel(
    judgements: pa.Table, rubric: str, task: str, missing: dict[str, str], how: dict[str, Any]
) -> Panel | None:
    asked = [one for one in questions(judgements) if one[2:] == (rubric, task)]
    if len({one[0] for one in asked}) < 2:
        missing["panel"] = "no other judge was asked the same"
        return None
    if len(asked) > len({one[0] for one in asked}):
        missing["panel"] = "a judge was asked in several dialects; audit a table with one of each"
        return None
    same = pc.and_(
        pc.equal(judgements["task"].cast(pa.string()), task),
        pc.equal(pc.fill_null(judgements["rubric"].cast(pa.string()), ""), rubric),
    )
    try:
        return panel(judgements.filter(same), **how)
    except UsageError as error:
        missing["panel"] = str(error)
        return None


def _degenerate(
    texts: Mapping[str, str | None], prompts: Mapping[str, str] | None, seed: int, level: float
) -> Degenerate:
    cases = sorted(texts)
    asked = None if prompts is None else [prompts.get(case) for case in cases]
    return degenerate([texts[case] for case in cases], asked, seed=seed, level=level)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
