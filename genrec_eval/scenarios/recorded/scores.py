"""Scores of one arm of recorded judgements, from the stored tables alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.types import JudgementStatus
from genrec_eval.metrics.base import Metric
from genrec_eval.metrics.judged.pairs import Pairs, rows_of
from genrec_eval.metrics.judged.recorded import MAJORITY, NO_VERDICT, Recorded, majority
from genrec_eval.protocol.arrays import Int64
from genrec_eval.scenarios.base import ScoredUnits
from genrec_eval.scenarios.recorded.alpaca import alpaca_pairs

_SILENT = (JudgementStatus.UNPARSED, JudgementStatus.REFUSED, JudgementStatus.TRUNCATED)


def score(
    metrics: Sequence[Metric],
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
) -> ScoredUnits:
    """Score the arm whose cases the records name; units on which it did not judge are left out, and told."""
    every = cases.column("case").combine_chunks()
    played = pa.concat_arrays([block.column("case").cast(pa.string()) for block in records])
    mine = cases.filter(pc.is_in(every, value_set=played))
    arm = mine.column("arm")[0].as_py()
    units = pc.unique(cases.column("unit").combine_chunks())
    recorded, rows = _recorded(arm, mine, units, context)
    forms: dict[str, Callable[[], Any]] = {
        "judgement log": lambda: recorded,
        "pairs": lambda: _pairs(recorded, rows, units, context),
        "alpaca pairs": lambda: _alpaca(recorded, rows, units, arm, context),
    }
    held: dict[str, Any] = {}
    scores = {}
    for metric in metrics:
        about = metric.definition.on
        if about not in held:
            held[about] = forms[about]()
        scores[metric.id] = metric(held[about])
    first = pc.index_in(units, value_set=cases.column("unit").combine_chunks())
    everyone = np.ones(len(units), bool)
    return ScoredUnits(
        units=units,
        scores=scores,
        groups={
            name.removeprefix("group."): cases.column(name).combine_chunks().take(first)
            for name in cases.column_names
            if name.startswith("group.")
        },
        attempted=everyone,
        answered=everyone,
        remark=_remark(rows),
    )


def _recorded(
    arm: str, mine: pa.Table, units: pa.Array, context: Mapping[str, pa.Table]
) -> tuple[Recorded, pa.Table]:
    """The judgements of an arm on its played cases, as arrays and as rows."""
    table = context["judgements"]
    rows = table.filter(pc.equal(table.column("arm"), arm))
    place = _places(rows.column("case"), mine.column("case"))
    asked = pc.not_equal(rows.column("status"), str(JudgementStatus.NOT_ASKED)).to_numpy()
    kept = (place >= 0) & asked
    rows, place = rows.filter(pa.array(kept)), place[kept]
    of = _places(mine.column("unit"), units)
    items = pc.unique(rows.column("key").combine_chunks())
    status = rows.column("status").to_numpy()
    ok = status == str(JudgementStatus.OK)
    verdict = np.where(ok, _whole(rows, "verdict"), -1)
    item = _places(rows.column("key"), items)
    order, repeat = _whole(rows, "order"), _whole(rows, "repeat")
    pairwise = bool((verdict >= 0).any()) or not np.isfinite(_float(rows, "score")).any()
    labels = _labels(arm, items, item, (order, repeat), context)
    found = Recorded(
        units=len(units),
        unit=of[place],
        item=item,
        order=order,
        repeat=repeat,
        verdict=verdict,
        score=_float(rows, "score"),
        silent=np.isin(status, [str(one) for one in _SILENT]),
        as_recorded=_whole(rows, "as_recorded"),
        labels=labels,
        pairwise=pairwise,
    )
    return found, rows


def _labels(
    arm: str,
    items: pa.Array,
    item: Int64,
    asked: tuple[Int64, Int64],
    context: Mapping[str, pa.Table],
) -> Callable[[str], Int64]:
    """What another rater says on each row's item; judges on the same order and asking."""
    people = context.get("people")
    held: dict[str, Int64] = {}
    votes: dict[str, Int64] = {}
    if people is not None and len(people):
        names = people.column("annotator").to_numpy(zero_copy_only=False)
        codes = _places(people.column("key"), items)
        said = people.column("verdict").to_numpy()
        for name in sorted(set(names)):
            column = np.full(len(items), -1, np.int64)
            his = (names == name) & (codes >= 0)
            column[codes[his]] = said[his]
            votes[name] = column

    def labels(name: str) -> Int64:
        if name not in held:
            if name == MAJORITY:
                others = {one: column for one, column in votes.items() if one != arm}
                none = np.full(len(items), -1, np.int64)
                held[name] = (majority(others) if others else none)[item]
            elif name == arm:
                held[name] = np.full(len(item), -1, np.int64)  # nobody is measured by themselves
            elif name in votes:
                held[name] = votes[name][item]
            else:
                held[name] = _of_judge(name, items, item, asked, context)
        return held[name]

    return labels


def _of_judge(
    name: str,
    items: pa.Array,
    item: Int64,
    asked: tuple[Int64, Int64],
    context: Mapping[str, pa.Table],
) -> Int64:
    table = context["judgements"]
    rows = table.filter(pc.and_(pc.equal(table.column("arm"), name), pc.equal(table.column("status"), "ok")))
    codes = _places(rows.column("key"), items)
    most = int(max(asked[1].max(initial=0), _whole(rows, "repeat").max(initial=0))) + 1

    def keys(code: Int64, order: Int64, repeat: Int64) -> Int64:
        return (code * 3 + order + 1) * most + repeat

    theirs = keys(codes, _whole(rows, "order"), _whole(rows, "repeat"))
    ours = keys(item, *asked)
    kept = codes >= 0
    place = {int(key): row for key, row in zip(theirs[kept], np.flatnonzero(kept), strict=True)}
    said = _whole(rows, "verdict")
    return np.array([said[place[key]] if key in place else -1 for key in ours.tolist()], np.int64)


def _pairs(recorded: Recorded, rows: pa.Table, units: pa.Array, context: Mapping[str, pa.Table]) -> Pairs:
    """Preference of each unit: the mean over its judgements that have one."""
    known = np.isfinite(recorded.score)
    if known.any() and not ((recorded.score[known] >= 0) & (recorded.score[known] <= 1)).all():
        raise UsageError("a win rate is about pairs, and these judgements score single answers")
    unit = recorded.unit[known]
    preference = recorded.mean(recorded.score[known], unit, NO_VERDICT)
    gap = _float(rows, "length") - _float(rows, "other_length")
    covariates, lengths = {}, known & np.isfinite(gap)
    if lengths.sum() == known.sum():
        covariates["length"] = recorded.mean(gap[lengths], unit, NO_VERDICT).values
    difficulty = None
    if "prompts" in context:
        prompts = context["prompts"]
        place = rows_of(units.to_pylist(), prompts["unit"].to_pylist(), "the difficulty of the prompts")
        difficulty = prompts["difficulty"].to_numpy()[place]
    return Pairs(
        preference=preference.values,
        reasons=preference.reasons,
        covariates=covariates,
        difficulty=difficulty,
    )


def _alpaca(
    recorded: Recorded, rows: pa.Table, units: pa.Array, arm: str, context: Mapping[str, pa.Table]
) -> Any:
    found = alpaca_pairs(_pairs(recorded, rows, units, context), units, arm, context)
    if found is None:
        raise UsageError(
            "AlpacaEval's length control needs the difficulty of the prompts, which the log lacks"
        )
    return found


def _remark(rows: pa.Table) -> str | None:
    """Calls that failed leave holes in the data: they are named."""
    from genrec_eval.scenarios.recorded.cases import named

    failed = named(rows, str(JudgementStatus.API_ERROR))
    if not failed:
        return None
    count = pc.sum(pc.equal(rows.column("status"), str(JudgementStatus.API_ERROR))).as_py()
    return f"{count} of {len(rows):,} recorded calls failed and have no verdict: {failed}"


def _places(ids: pa.Array | pa.ChunkedArray, known: pa.Array | pa.ChunkedArray) -> Int64:
    """int64[n], place of each id among the known ones, which are few; -1 for one that is not."""
    sets = known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known
    found = pc.fill_null(pc.index_in(ids, value_set=sets), -1)
    return np.asarray(found.to_numpy(), np.int64)


def _whole(rows: pa.Table, name: str) -> Int64:
    return rows.column(name).to_numpy().astype(np.int64)


def _float(rows: pa.Table, name: str) -> Any:
    return rows.column(name).cast(pa.float64()).fill_null(np.nan).to_numpy()
