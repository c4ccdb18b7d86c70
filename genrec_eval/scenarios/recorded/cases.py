"""The case table of recorded judgements, and the tables that scoring needs beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.data.judgements.log import JudgementLog
from genrec_eval.judging.dialect import Dialect, load_dialect
from genrec_eval.judging.types import JudgementStatus, TaskKind
from genrec_eval.metrics.base import Metric
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.recorded.alpaca import alpaca_tables
from genrec_eval.scenarios.recorded.figures import figures

if TYPE_CHECKING:
    from genrec_eval.scenarios.recorded_judgements import RecordedOptions

ORDERS = {"given": 0, "swapped": 1}
VERDICTS = {"first": 0, "second": 1, "tie": 2}
_TURNED = {"first": "second", "second": "first", "tie": "tie"}
_WORTH = {"first": 1.0, "second": 0.0, "tie": 0.5}
_NAMED = 12

JUDGEMENTS = pa.schema(
    [
        ("case", pa.string()),
        ("key", pa.string()),
        ("arm", pa.string()),
        ("order", pa.int8()),
        ("repeat", pa.int16()),
        ("status", pa.string()),
        ("verdict", pa.int8()),
        ("score", pa.float64()),
        ("as_recorded", pa.int8()),
        ("length", pa.int32()),
        ("other_length", pa.int32()),
    ]
)


def prepare(log: Any, options: RecordedOptions, metrics: Sequence[Metric]) -> Prepared:
    """See :meth:`genrec_eval.scenarios.recorded_judgements.RecordedJudgements.prepare`."""
    if not isinstance(log, JudgementLog):
        raise UsageError(
            f"scenario 'recorded-judgements' needs a log of judgements, and data set '{log.name}' holds"
            " something else"
        )
    dialect = None if options.dialect is None else load_dialect(options.dialect, Path())
    columns, texts = _judgements(log, options, dialect)
    units = dict(zip(columns["key"], log.table["unit"].to_pylist(), strict=True))
    people = None
    if "system" not in options.by:
        people = _people(log)
        _add_people(columns, people, units)
    judgements = pa.table({one.name: pa.array(columns[one.name], one.type) for one in JUDGEMENTS})
    cases = _cases(log, options, columns, units)
    context = {"judgements": judgements}
    if people is not None:
        context["people"] = people
    if texts is not None:
        context["texts"] = texts
    if log.published:
        context |= alpaca_tables(log)
        context["published"] = figures(log, options.by, options.groups)
    _check_raters(metrics, columns["arm"])
    return Prepared(cases=cases, context=context, facts=_facts(log, options, judgements, cases))


def _judgements(
    log: JudgementLog, options: RecordedOptions, dialect: Dialect | None
) -> tuple[dict[str, list[Any]], pa.Table | None]:
    """The columns of :data:`JUDGEMENTS`, and what the texts say."""
    table = log.table
    item, system, other = (table[name].cast(pa.string()).to_pylist() for name in ("item", "system", "other"))
    keys = [
        f"{one} · {name}" if against is None else f"{one} · {name} and {against}"
        for one, name, against in zip(item, system, other, strict=True)
    ]
    parts = [table[name].cast(pa.string()).fill_null("").to_pylist() for name in options.by]
    arms = [".".join(filter(None, names)) for names in zip(*parts, strict=True)]
    order = table["order"].cast(pa.string()).to_pylist()
    status, verdict, score = (
        list(column)
        for column in (
            table["status"].cast(pa.string()).to_pylist(),
            table["verdict"].cast(pa.string()).to_pylist(),
            table["score"].to_pylist(),
        )
    )
    pairwise = [against is not None for against in other]
    # a lone score of a pair is the probability that its first answer is better
    lone = table["other_score"].is_null().to_pylist()
    as_recorded = [-1] * len(keys)
    texts = None
    if dialect is not None:
        said = table[options.text].to_pylist()
        read = read_texts(dialect, said, order, pairwise)
        for row, found in enumerate(read):
            if found is None:
                continue
            same = found[0] == status[row] == "ok" or (found[0] != "ok" and status[row] != "ok")
            if same and found[0] == "ok":
                same = found[1] == verdict[row] if pairwise[row] else found[2] == score[row]
            as_recorded[row] = int(same)
            if options.verdicts == "texts":
                status[row], verdict[row] = found[0], found[1]
                score[row], lone[row] = found[2], False
        texts = _texts(keys, arms, order, log, options, read, as_recorded)
    worth = [
        (one if alone and one is not None else _WORTH.get(word or "")) if paired else one
        for one, alone, word, paired in zip(score, lone, verdict, pairwise, strict=True)
    ]
    return {
        "case": [f"{key} · {arm}" for key, arm in zip(keys, arms, strict=True)],
        "key": keys,
        "arm": arms,
        "order": [ORDERS.get(one or "", -1) for one in order],
        "repeat": table["repeat"].to_pylist(),
        "status": status,
        "verdict": [VERDICTS.get(one or "", -1) for one in verdict],
        "score": [one if said == "ok" else None for one, said in zip(worth, status, strict=True)],
        "as_recorded": as_recorded,
        "length": table["length"].to_pylist(),
        "other_length": table["other_length"].to_pylist(),
    }, texts


Reading = tuple[str, str | None, float | None, str | None]
"""Status, verdict on the pair as given, score, and why there is none."""


def read_texts(
    dialect: Dialect,
    texts: Sequence[str | None],
    orders: Sequence[str | None],
    pairwise: Sequence[bool],
) -> list[Reading | None]:
    """Read recorded texts by a dialect; None for rows without a text.

    A verdict on the swapped order is turned, so that it is about the pair as given.
    """
    found: list[Reading | None] = []
    for text, order, paired in zip(texts, orders, pairwise, strict=True):
        if text is None:
            found.append(None)
            continue
        kind: TaskKind = "pairwise" if paired else "pointwise"
        read = dialect.read(text, kind)
        winner = read.winner
        if winner is not None and order == "swapped":
            winner = _TURNED[winner]  # type: ignore[assignment]
        found.append((str(read.status), winner, read.score, read.reason))
    return found


def _texts(
    keys: Sequence[str],
    arms: Sequence[str],
    order: Sequence[str | None],
    log: JudgementLog,
    options: RecordedOptions,
    read: Sequence[Reading | None],
    as_recorded: Sequence[int],
) -> pa.Table:
    """The texts with both readings: evidence, which no figure needs again."""
    rows = [row for row, found in enumerate(read) if found is not None]
    kept = log.table.take(pa.array(rows, pa.int64()))
    readings = [found for found in read if found is not None]
    return pa.table(
        {
            "case": pa.array([f"{keys[row]} · {arms[row]}" for row in rows], pa.string()),
            "order": pa.array([order[row] for row in rows], pa.string()),
            "repeat": kept["repeat"],
            "text": kept[options.text],
            "status": pa.array([one[0] for one in readings], pa.string()),
            "verdict": pa.array([one[1] for one in readings], pa.string()),
            "score": pa.array([one[2] for one in readings], pa.float64()),
            "reason": pa.array([one[3] for one in readings], pa.string()),
            "recorded_status": kept["status"].cast(pa.string()),
            "recorded_verdict": kept["verdict"].cast(pa.string()),
            "recorded_score": kept["score"],
            "as_recorded": pa.array([bool(as_recorded[row]) for row in rows]),
        }
    )


def _people(log: JudgementLog) -> pa.Table:
    """What people said about pairs, once per person and item: key, annotator, verdict."""
    _check_people(log)
    found = log.human_table()
    found = found.filter(pc.and_(found["label"].is_valid(), found["other"].is_valid()))
    keys = [
        f"{case} · {model} and {other}"
        for case, model, other in zip(
            *(found[name].to_pylist() for name in ("case", "model", "other")), strict=True
        )
    ]
    return pa.table(
        {
            "key": pa.array(keys, pa.string()),
            "annotator": found["annotator"],
            "verdict": pa.array([VERDICTS[one] for one in found["label"].to_pylist()], pa.int8()),
        }
    )


def _check_people(log: JudgementLog) -> None:
    """Refuse people who say one thing of a pair in one row and another in the next."""
    seen: dict[tuple[Any, ...], list[str | None]] = {}
    wanted = ("item", "system", "other", "human")
    for *key, said in zip(*(log.table[name].to_pylist() for name in wanted), strict=True):
        before = seen.setdefault(tuple(key), said) if said else said
        if before == said:
            continue
        place, (one, two) = next(
            (place, pair) for place, pair in enumerate(zip_longest(said, before or ())) if pair[0] != pair[1]
        )
        who = log.annotators[place] if place < len(log.annotators) else f"annotator {place + 1}"
        raise UsageError(f"{log.name}: item '{key[0]}': {who} says '{one}' in one row and '{two}' in another")


def _add_people(columns: dict[str, list[Any]], people: pa.Table, units: Mapping[str, str]) -> None:
    """People as arms of the log: one judgement per person and item."""
    judges = set(columns["arm"])
    names = people["annotator"].to_pylist()
    if both := sorted(judges.intersection(names)):
        raise UsageError(f"'{both[0]}' is the name of a judge and of a person in this log; rename one")
    if "majority" in judges or "majority" in names:
        raise UsageError("no judge or person of a log can be called 'majority', which stands for most people")
    worth = {code: _WORTH[word] for word, code in VERDICTS.items()}
    n = len(names)
    verdicts = people["verdict"].to_pylist()
    keys = people["key"].to_pylist()
    columns["case"] += [f"{key} · {name}" for key, name in zip(keys, names, strict=True)]
    columns["key"] += keys
    columns["arm"] += names
    columns["order"] += [0] * n
    columns["repeat"] += [0] * n
    columns["status"] += ["ok"] * n
    columns["verdict"] += verdicts
    columns["score"] += [worth[code] for code in verdicts]
    columns["as_recorded"] += [-1] * n
    columns["length"] += [None] * n
    columns["other_length"] += [None] * n


def _cases(
    log: JudgementLog, options: RecordedOptions, columns: Mapping[str, list[Any]], units: Mapping[str, str]
) -> pa.Table:
    first = {case: row for row, case in reversed(list(enumerate(columns["case"])))}
    rows = sorted(first.values())
    unit = [units[columns["key"][row]] for row in rows]
    table = {
        "case": pa.array([columns["case"][row] for row in rows], pa.string()),
        "unit": pa.array(unit, pa.string()),
        "arm": pa.array([columns["arm"][row] for row in rows], pa.string()),
        "key": pa.array([columns["key"][row] for row in rows], pa.string()),
    }
    for group in options.groups:
        values: dict[str, str | None] = {}
        named = log.table[group].cast(pa.string()).to_pylist()
        for one, value in zip(log.table["unit"].to_pylist(), named, strict=True):
            if values.setdefault(one, value) != value:
                raise UsageError(
                    f"groups: '{group}' is {value} and {values[one]} within prompt '{one[:60]}', which is"
                    " resampled as a whole and can be of one group only"
                )
        table[f"group.{group}"] = pa.array([values[one] for one in unit], pa.string())
    return pa.table(table)


def _check_raters(metrics: Sequence[Metric], arms: Sequence[str]) -> None:
    """Refuse a metric that compares with a rater whom the log does not have."""
    from genrec_eval.core.errors import did_you_mean
    from genrec_eval.metrics.judged.recorded import MAJORITY

    known = sorted(set(arms))
    for metric in metrics:
        rater = metric.parameters.get("with", MAJORITY)
        if rater != MAJORITY and rater not in known:
            raise UsageError(
                f"metric '{metric.id}': the log has no rater '{rater}'{did_you_mean(rater, known)}"
                f" (raters: {', '.join(known[:20])})"
            )


def _facts(
    log: JudgementLog, options: RecordedOptions, judgements: pa.Table, cases: pa.Table
) -> dict[str, Any]:
    status = Counter(judgements["status"].to_pylist())
    read = Counter(judgements["as_recorded"].to_pylist())
    counts = [
        len(set(table[name].to_pylist()))
        for table, name in ((judgements, "arm"), (judgements, "key"), (cases, "unit"))
    ]
    told = {
        "Judgements": f"{len(log):,}; arms, people among them: {counts[0]:,}; items: {counts[1]:,}; prompts:"
        f" {counts[2]:,}",
        "Arms are told by": ", ".join(options.by),
    }
    if options.dialect is not None:
        count = read[0] + read[1]
        told["Texts"] = (
            f"{count:,} read by the dialect {options.dialect}, {read[1]:,} of them as they were recorded;"
            f" {'recorded verdicts' if options.verdicts == 'recorded' else 'verdicts as read'} count"
        )
    failed = [name for name in status if name not in ("ok", "not_asked")]
    if failed:
        told["Without a verdict"] = ", ".join(f"{status[name]:,} {name.replace('_', ' ')}" for name in failed)
    if broken := named(judgements, str(JudgementStatus.API_ERROR)):
        told["Calls that failed"] = broken
    return {"units": counts[2], "told": told}


def named(judgements: pa.Table, status: str) -> str:
    """The judgements of a status by name, the first few."""
    found = judgements.filter(pc.equal(judgements["status"], status))
    words = {0: " (as given)", 1: " (swapped)"}
    names = [
        f"{key}{words.get(order, '')}"
        for key, order in zip(found["key"].to_pylist(), found["order"].to_pylist(), strict=True)
    ]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + more
