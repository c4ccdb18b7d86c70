"""Judgements to scores: policies applied to the stored rows, purely, as often as wanted."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.panel import (
    Bool,
    Float64,
    Int64,
    agreement,
    both_orders,
    combine_groups,
    of_panel,
)
from genrec_eval.judging.policy import JudgePolicy
from genrec_eval.judging.question import Question
from genrec_eval.judging.rows import IDENTICAL
from genrec_eval.judging.tasks import ABSENT
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.judged.pairs import Pairs
from genrec_eval.metrics.judged.scores import NOT_JUDGED, Judged, per_unit

COLUMNS = (
    "model", "other", "case", "unit", "repeat", "step", "judge", "rubric", "task", "order", "sample",
    "claim", "status", "value", "label", "reason", "length", "other_length",
)  # fmt: skip
"""What resolving reads of a judgement."""

COVERAGE = "judge-coverage"
"""Reason: fewer judgements than the policy's min_coverage have a verdict, so that none counts."""
DISAGREE = "orders-disagree"
NO_COVARIATE = "no-covariate"
"""Reason: a covariate that the win rate is controlled for has no value in one of the texts."""
_WITHOUT = ("unparsed", "refused", "truncated")
"""Statuses to which on_unparsed applies: the judge wrote something, and it holds no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a question came to for one model.

    Attributes
    ----------
    scores
        Metric id → scores of all units.
    remarks
        Sentences on judgements without a verdict; empty when all have one.
    """

    scores: Mapping[str, UnitScores]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTexts:
    """What the judges of a question say of one model's texts, after their policies.

    Attributes
    ----------
    keys
        Case, repeat and step of each of T texts.
    units
        int64[T], the unit of each.
    values
        float64[T], of the panel together; entries that are not judged are never read.
    judged
        bool[T].
    """

    keys: list[tuple[str, int, int]]
    units: Int64
    values: Float64
    judged: Bool


@dataclass(frozen=True, slots=True)
class _Texts:
    """The judgements of one question as columns, and the texts that they are about.

    A text is a case, repeat and step: that of the model which the row is about.
    """

    model: list[str]
    judge: list[str]
    status: list[str]
    label: Sequence[str | None]
    reason: Sequence[str | None]
    case: list[str]
    text: Int64  # row → text
    claim: Int64
    swapped: Bool
    sample: Int64
    value: Float64  # NaN where there is none; never leaves this module
    gap: Float64  # length of the model's text minus that of the other
    units: Int64  # text → unit
    keys: list[tuple[str, int, int]]  # text → case, repeat and step


def resolve(
    judgements: pa.Table,
    question: Question,
    units: pa.Array,
    models: Sequence[str],
    covariates: Mapping[str, Mapping[str, tuple[Float64, Bool]]] | None = None,
) -> dict[str, Resolved]:
    """Turn judgements into scores per unit.

    Parameters
    ----------
    judgements
        Rows of one scenario, with :data:`COLUMNS` at least.
    units
        n unit ids, in the order of the scores.
    models
        Models to score; the one that pairs are compared with has no score of its own.
    covariates
        Model → covariate beside ``length`` → (float64[n] difference to the other model, bool[n] where known).

    Raises
    ------
    UsageError
        When a judgement has no verdict and the policy is to raise.
    """
    table = _of_question(judgements, question)
    texts = _texts(table, units)
    found = {}
    for model in models:
        if model != question.judging.against:
            extra = (covariates or {}).get(model, {})
            found[model] = _of_model(texts, question, model, len(units), extra)
    return found


def on_texts(
    judgements: pa.Table, question: Question, units: pa.Array, models: Sequence[str]
) -> dict[str, OnTexts]:
    """As :func:`resolve`, text by text: for comparisons of judges that no mean over a unit allows."""
    texts = _texts(_of_question(judgements, question), units)
    found = {}
    for model in models:
        if model != question.judging.against:
            panel = _of_panel(texts, question, model)
            found[model] = OnTexts(
                keys=[texts.keys[text] for text in panel.present],
                units=texts.units[panel.present],
                values=panel.combined,
                judged=panel.first < 0,
            )
    return found


def _of_question(table: pa.Table, question: Question) -> pa.Table:
    judging = question.judging
    wanted = {"rubric": [question.rubric.name], "task": [judging.task], "judge": list(judging.panel)}
    if judging.against is not None:
        wanted["other"] = [judging.against]
    mask = np.ones(len(table), bool)
    for name, values in wanted.items():
        hit = pc.is_in(table.column(name).cast(pa.string()), value_set=pa.array(values, pa.string()))
        mask &= hit.to_numpy(zero_copy_only=False)
    return table.filter(pa.array(mask))


def _texts(table: pa.Table, units: pa.Array) -> _Texts:
    def words(name: str) -> list[str]:
        found: list[str] = table.column(name).cast(pa.string()).to_pylist()
        return found

    def numbers(name: str, missing: float = 0) -> np.ndarray:
        column = table.column(name).cast(pa.float64()).fill_null(missing)
        found: np.ndarray = column.to_numpy()
        return found

    case = table.column("case").combine_chunks().dictionary_encode()
    codes = case.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    keys = np.stack([codes, numbers("repeat").astype(np.int64), numbers("step").astype(np.int64)])
    _, first, text = np.unique(keys, axis=1, return_index=True, return_inverse=True)
    named = table.column("unit").take(pa.array(first))
    places = pc.index_in(named, value_set=units.cast(pa.string()))
    if places.null_count:
        row = int(np.flatnonzero(places.is_null().to_numpy(zero_copy_only=False))[0])
        raise UsageError(f"a judgement is about unit '{named[row]}', which the cases do not hold")
    texts = _Texts(
        model=words("model"),
        judge=words("judge"),
        status=words("status"),
        label=words("label"),
        reason=words("reason"),
        case=words("case"),
        text=np.asarray(text).reshape(-1).astype(np.int64),
        claim=numbers("claim", -1).astype(np.int64),
        swapped=np.array([order == "swapped" for order in words("order")], bool),
        sample=numbers("sample").astype(np.int64),
        value=numbers("value", np.nan),
        gap=numbers("length") - numbers("other_length"),
        units=places.to_numpy(zero_copy_only=False).astype(np.int64),
        keys=list(
            zip(
                table.column("case").take(pa.array(first)).to_pylist(),
                keys[1, first].tolist(),
                keys[2, first].tolist(),
                strict=True,
            )
        ),
    )
    return texts


@dataclass(frozen=True, slots=True)
class _Panel:
    """All judges on the texts of one model.

    Attributes
    ----------
    present
        int64[T], the texts.
    values
        float64[J, T].
    combined
        float64[T], of all judges.
    first
        int64[T], code of the reason why there is no value (-1 where there is one).
    names
        The reasons by code.
    """

    mine: Bool
    present: Int64
    values: Float64
    combined: Float64
    first: Int64
    names: list[str]
    remarks: list[str]


def _of_panel(texts: _Texts, question: Question, model: str) -> _Panel:
    judges = question.judging.panel
    mine = np.array([one == model for one in texts.model], bool)
    present = np.unique(texts.text[mine])
    values = np.zeros((len(judges), len(present)))
    reasons: list[Int64] = []
    names: list[str] = []
    remarks: list[str] = []
    for row, judge in enumerate(judges):
        rows = np.flatnonzero(mine & np.array([one == judge for one in texts.judge], bool))
        one = _of_judge(texts, question, judge, rows, present, names)
        values[row] = one.values
        reasons.append(one.reasons)
        remarks += one.remarks
    first = np.full(len(present), -1, np.int64)
    for codes in reversed(reasons):
        first = np.where(codes >= 0, codes, first)
    pairs = question.judging.task == "pairwise"
    combined = values[0] if len(judges) == 1 else of_panel(values, pairs=pairs)
    return _Panel(mine, present, values, combined, first, names, remarks)


def _of_model(
    texts: _Texts,
    question: Question,
    model: str,
    n: int,
    covariates: Mapping[str, tuple[Float64, Bool]],
) -> Resolved:
    panel = _of_panel(texts, question, model)
    present, values, first = panel.present, panel.values, panel.first
    masks = {name: first == code for code, name in enumerate(panel.names) if (first == code).any()}
    unit = texts.units[present]
    kind = question.judging.task

    def of_texts(value: Float64) -> Judged:
        return Judged(values=value, unit=unit, units=n, reasons=masks)

    pairs = kind == "pairwise"
    combined = panel.combined
    metrics = iter(question.metrics())
    main = next(metrics)
    scores = {}
    if pairs:
        gap = _of_first(texts, panel.mine, present)
        made = _pairs(of_texts(combined), of_texts(gap), covariates)
        scores[main.id] = main(made)
        controls = 1 + len(question.judging.control) if question.judging.control else 0
        for metric in itertools.islice(metrics, controls):
            scores[metric.id] = metric(made)
    else:
        scores[main.id] = main(of_texts(combined))
    for row, metric in enumerate(metrics):
        width = question.scale[1] - question.scale[0] if kind == "pointwise" else 1.0
        scores[metric.id] = metric(of_texts(agreement(values, row, pairs=pairs, width=width)))
    said = tuple(f"{sentence} ({kind}, {question.rubric.name})" for sentence in panel.remarks)
    return Resolved(scores=scores, remarks=said)


_LONGEST_WHY = 160
"""Characters of a reason that are quoted: an endpoint may answer with a page."""


@dataclass(frozen=True, slots=True)
class _Verdicts:
    """One judge on the texts of one model: values, and the code of the reason where there is none (−1)."""

    values: Float64
    reasons: Int64
    remarks: list[str] = field(default_factory=list)


def _of_judge(
    texts: _Texts, question: Question, judge: str, rows: Int64, present: Int64, names: list[str]
) -> _Verdicts:
    policy, kind = question.policies[judge], question.judging.task
    pairs, n = kind == "pairwise", len(present)
    value = texts.value[rows].copy()
    if kind == "listwise":
        value = _relative_ranks(texts, judge, rows)
    reason = np.full(len(rows), -1, np.int64)
    asked = verdicts = 0
    lost: dict[str, int] = {}
    whys: Counter[str] = Counter()
    for i, row in enumerate(rows.tolist()):
        status, why = texts.status[row], texts.reason[row]
        if status == "not_asked" and why in ABSENT:
            reason[i] = _code(names, str(why))
            continue
        if texts.label[row] != IDENTICAL:
            asked += 1
            verdicts += status == "ok"
        if status == "ok":
            continue
        lost[status] = lost.get(status, 0) + 1
        whys[str(why or "")] += 1
        if policy.on_unparsed == "raise" and status != "not_asked":
            said = f"{status}{f': {why}' if why else ''}"
            raise UsageError(
                f"judge '{judge}' gave no verdict on case '{texts.case[row]}' ({said}), and its policy is"
                " on_unparsed: raise; the judgements are kept: set exclude, tie or loss and run again"
            )
        if status in _WITHOUT and policy.on_unparsed in ("tie", "loss"):
            value[i] = _instead(question, policy)
        else:
            reason[i] = _code(names, status.replace("_", "-"))
    remarks = _remarks(judge, policy, asked, verdicts, lost, whys)
    if asked and verdicts < policy.min_coverage * asked - 1e-9:
        return _Verdicts(np.zeros(n), np.full(n, _code(names, COVERAGE)), remarks)
    place = np.searchsorted(present, texts.text[rows])
    parts = np.stack([place, texts.claim[rows], texts.swapped[rows].astype(np.int64)])
    cells, cell = np.unique(parts, axis=1, return_inverse=True)
    values, reasons = _merge(
        value, reason, np.asarray(cell).reshape(-1), cells.shape[1], policy.combine, pairs
    )
    if pairs:
        values, reasons, cells = _orders(values, reasons, cells, policy, names)
    # a text's claims count alike; other texts have one part each
    values, reasons = _merge(values, reasons, cells[0], n, "mean", pairs)
    absent = np.ones(n, bool)
    absent[cells[0]] = False
    reasons[absent] = _code(names, NOT_JUDGED)  # what was to be asked and was not has a row that says so
    return _Verdicts(values, reasons, remarks)


def _code(names: list[str], reason: str) -> int:
    if reason not in names:
        names.append(reason)
    return names.index(reason)


def _instead(question: Question, policy: JudgePolicy) -> float:
    """What a judgement without a verdict counts as."""
    kind = question.judging.task
    if policy.on_unparsed == "tie" or kind == "listwise":
        return 0.5 if policy.on_unparsed == "tie" else 1.0
    if kind == "pointwise":
        return question.scale[1] if question.rubric.direction == "lower" else question.scale[0]
    return 0.0


def _merge(
    value: Float64, reason: Int64, group: Int64, n: int, how: str, pairs: bool
) -> tuple[Float64, Int64]:
    """Values of rows as values of groups; a group without any has the reason of its first row."""
    good = reason < 0
    values = combine_groups(value[good], group[good], n, how, pairs=pairs)  # type: ignore[arg-type]
    counts = np.bincount(group[good], minlength=n)
    bad = np.full(n, -1, np.int64)
    bad[group[~good][::-1]] = reason[~good][::-1]  # the first row of a group is written last
    return values, np.where(counts > 0, -1, bad)


def _orders(
    values: Float64, reasons: Int64, cells: Int64, policy: JudgePolicy, names: list[str]
) -> tuple[Float64, Int64, Int64]:
    """Cells of (text, claim, order) as cells of (text, claim): a pair needs all of its orders."""
    places, first, inverse = np.unique(cells[0], return_index=True, return_inverse=True)
    inverse = np.asarray(inverse).reshape(-1)
    n = len(places)
    slots = np.zeros((2, n))
    there = np.zeros((2, n), bool)
    bad = np.full(n, -1, np.int64)
    slots[cells[2], inverse] = values
    there[cells[2], inverse] = True
    failed = reasons >= 0
    bad[inverse[failed][::-1]] = reasons[failed][::-1]
    both = there.all(axis=0)
    found = np.where(there[0], slots[0], slots[1])
    merged, dropped = both_orders(slots[0], slots[1], policy.on_disagree)
    found = np.where(both, merged, found)
    drop = both & dropped & (bad < 0)
    if drop.any():
        bad[drop] = _code(names, DISAGREE)
    return found, bad, cells[:, first]


def _relative_ranks(texts: _Texts, judge: str, rows: Int64) -> Float64:
    """(rank − 1) / (answers − 1) of each row, by how many answers stand in the same list."""
    listed: dict[tuple[int, int], int] = {}
    for row, (one, status, why) in enumerate(zip(texts.judge, texts.status, texts.reason, strict=True)):
        if one == judge and not (status == "not_asked" and why in ABSENT):
            key = (int(texts.text[row]), int(texts.sample[row]))
            listed[key] = listed.get(key, 0) + 1
    keys = zip(texts.text[rows].tolist(), texts.sample[rows].tolist(), strict=True)
    most = np.array([max(2, listed.get(key, 2)) for key in keys], np.float64)
    return (texts.value[rows] - 1) / (most - 1)


def _of_first(texts: _Texts, mine: Bool, present: Int64) -> Float64:
    """Difference in length of each text: the same in every row about it."""
    rows = np.flatnonzero(mine)
    gap = np.zeros(len(present))
    gap[np.searchsorted(present, texts.text[rows])] = texts.gap[rows]
    return gap


def _pairs(preference: Judged, gap: Judged, covariates: Mapping[str, tuple[Float64, Bool]]) -> Pairs:
    scores, lengths = per_unit(preference), per_unit(gap)
    reasons = dict(scores.reasons)
    unknown = np.zeros(len(scores), bool)
    for _, known in covariates.values():
        unknown |= scores.scored & ~known
    if unknown.any():
        reasons[NO_COVARIATE] = unknown
    values = {name: np.where(known, difference, 0.0) for name, (difference, known) in covariates.items()}
    return Pairs(
        preference=np.clip(scores.values, 0.0, 1.0),
        reasons=reasons,
        covariates={"length": lengths.values, **values},
    )


def _remarks(
    judge: str, policy: JudgePolicy, asked: int, verdicts: int, lost: Mapping[str, int], whys: Counter[str]
) -> list[str]:
    if verdicts == asked:
        return []
    what = ", ".join(f"{n:,} {status.replace('_', ' ')}" for status, n in sorted(lost.items()))
    said = f"judge {judge}: {asked - verdicts:,} of {asked:,} judgements have no verdict: {what}"
    if why := max(whys, key=lambda one: (whys[one], one)):
        said += f" (most often: {why if len(why) <= _LONGEST_WHY else why[:_LONGEST_WHY] + '…'})"
    if verdicts < policy.min_coverage * asked - 1e-9:
        said += f"; there is no figure below min_coverage {policy.min_coverage:g}"
    else:
        said += f"; on_unparsed: {policy.on_unparsed}"
    return [said]
