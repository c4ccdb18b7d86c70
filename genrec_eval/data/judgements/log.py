"""A log of judgements: one verdict of one judge per row, beside what people said about the same pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.tables import JUDGEMENTS

_word = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    [
        ("item", pa.string()),  # what was judged, but for the order and the judge
        ("unit", pa.string()),  # the prompt: what is resampled
        ("system", _word),  # who wrote the first answer of the pair, or the only one
        ("other", _word),  # who wrote the second; null where single answers are scored
        ("judge", _word),
        ("arm", _word),  # how the judge was asked: prompt, dialect, strategy
        ("category", _word),
        ("order", _word),  # given: the first answer was shown first; swapped: it was shown second
        ("repeat", pa.int16()),
        ("status", _word),  # as in genrec_eval.judging.types.JudgementStatus
        ("verdict", _word),  # first, second or tie: of the pair as given, whatever the order shown
        ("score", pa.float64()),  # single answer: its score; pair: that of the first, or P(first is better)
        ("other_score", pa.float64()),
        ("mass", pa.float64()),
        ("label", pa.string()),  # the verdict as the judge wrote it
        ("raw", pa.string()),
        ("human", pa.list_(pa.string())),  # verdicts of people, one place per annotator, null where none
        ("human_scores", pa.list_(pa.float64())),
        ("prompt", pa.string()),
        ("text", pa.string()),
        ("other_text", pa.string()),
        ("length", pa.int32()),  # characters
        ("other_length", pa.int32()),
        ("cost", pa.float64()),
        ("seconds", pa.float64()),
    ]
)
"""Columns of a log, in this order; also of the exchange form, where most may be left out."""

VERDICTS = ("first", "second", "tie")
STATUSES = ("ok", "unparsed", "refused", "truncated", "api_error", "not_asked")
_VALUE = {"first": 1.0, "second": 0.0, "tie": 0.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgementLog:
    """Recorded judgements.

    Attributes
    ----------
    table
        Rows in :data:`SCHEMA`.
    annotators
        Names of the people, by place in the lists of column ``human``.
    published
        Figures that came with the data, as they were published: ``statistics``, ``leaderboard``, ...
    skipped
        Rows passed over as malformed, each with its place and why; empty where such rows are refused.
    digest, licence, source, facts
        As in :class:`~genrec_eval.data.dataset.Dataset`.
    """

    name: str
    table: pa.Table
    annotators: tuple[str, ...] = ()
    published: Mapping[str, Any] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    digest: str = ""
    licence: str | None = None
    source: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def where(self, **values: str) -> JudgementLog:
        """The rows in which columns have these values.

        Raises
        ------
        UsageError
            When no row has them.
        """
        from dataclasses import replace

        kept = self.table
        for name, value in values.items():
            kept = kept.filter(pc.fill_null(pc.equal(kept[name].cast(pa.string()), value), False))
            if not kept.num_rows:
                known = sorted(set(self.table[name].cast(pa.string()).drop_null().unique().to_pylist()))
                raise UsageError(
                    f"{self.name}: no judgement has {name} '{value}' (known: {', '.join(known[:20])})"
                )
        return replace(self, table=kept)

    def judgements(self) -> pa.Table:
        """The rows as those of a run, schema JUDGEMENTS: for every function of the judge audit."""
        log, n = self.table, self.table.num_rows
        pairwise = log["other"].cast(pa.string()).is_valid()
        verdict = log["verdict"].cast(pa.string())
        won = pc.case_when(
            pc.make_struct(*(pc.fill_null(pc.equal(verdict, word), False) for word in _VALUE)),
            *(pa.scalar(value) for value in _VALUE.values()),
        )
        # a lone score of a pair is the probability that its first answer is better
        likely = pc.and_(log["score"].is_valid(), log["other_score"].is_null())
        columns: dict[str, Any] = {
            "model": log["system"],
            "other": log["other"],
            "scenario": pa.array([self.name] * n),
            "case": log["item"],
            "unit": log["unit"],
            "repeat": pa.array(np.zeros(n, np.int16)),
            "step": pa.array(np.zeros(n, np.int16)),
            "judge": log["judge"],
            "dialect": log["arm"],
            "rubric": pa.array(["recorded"] * n),
            "task": pc.if_else(pairwise, "pairwise", "pointwise"),
            "order": log["order"],
            "sample": log["repeat"],
            "status": log["status"],
            "value": pc.if_else(pairwise, pc.if_else(likely, log["score"], won), log["score"]),
            "own_value": pc.if_else(pairwise, log["score"], pa.scalar(None, pa.float64())),
            "other_value": log["other_score"],
            "strength": pa.array(np.ones(n, np.int16)),
            "cached": pa.array(np.zeros(n, bool)),
        }
        for name in ("label", "mass", "raw", "length", "other_length", "cost"):
            columns[name] = log[name]
        return pa.table(
            {
                one.name: columns[one.name].cast(pa.string()).cast(one.type)
                if one.name in columns and pa.types.is_dictionary(one.type)
                else columns[one.name].cast(one.type)
                if one.name in columns
                else pa.nulls(n, one.type)
                for one in JUDGEMENTS
            },
            schema=JUDGEMENTS,
        )

    def human_table(self) -> pa.Table:
        """What people said, once per annotator and pair: case, model, other, annotator, label, score."""
        seen: dict[tuple[Any, ...], tuple[str | None, float | None]] = {}
        wanted = ("item", "system", "other", "human", "human_scores")
        for item, system, other, labels, scores in zip(
            *(self.table[name].to_pylist() for name in wanted), strict=True
        ):
            for place in range(max(len(labels or ()), len(scores or ()))):
                label = labels[place] if labels and place < len(labels) else None
                score = scores[place] if scores and place < len(scores) else None
                if label is not None or score is not None:
                    name = (
                        self.annotators[place] if place < len(self.annotators) else f"annotator {place + 1}"
                    )
                    seen.setdefault((item, system, other, name), (label, score))
        keys = list(seen)
        text, number = pa.string(), pa.float64()
        return pa.table(
            {
                "case": pa.array([key[0] for key in keys], text),
                "model": pa.array([key[1] for key in keys], text),
                "other": pa.array([key[2] for key in keys], text),
                "annotator": pa.array([key[3] for key in keys], text),
                "label": pa.array([seen[key][0] for key in keys], text),
                "score": pa.array([seen[key][1] for key in keys], number),
            }
        )


class Rows:
    """Rows of a log as they are read; a malformed one is refused by its place, or passed over and told.

    Parameters
    ----------
    skip
        Whether malformed rows are passed over.
    """

    def __init__(self, *, skip: bool) -> None:
        self.skip = skip
        self.skipped: list[str] = []
        self.columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}

    def __len__(self) -> int:
        return len(self.columns["item"])

    def add(self, **values: Any) -> None:
        """One row; unit is the item, repeat 0 and status follows from the verdict where not given."""
        values.setdefault("unit", values["item"])
        values.setdefault("repeat", 0)
        if values.get("status") is None:
            judged = values.get("verdict") is not None or values.get("score") is not None
            values["status"] = "ok" if judged else "unparsed"
        for name, column in self.columns.items():
            column.append(values.get(name))

    def fault(self, sentence: str) -> None:
        """Note a malformed row.

        Raises
        ------
        UsageError
            Unless such rows are passed over.
        """
        if not self.skip:
            raise UsageError(f"{sentence}; fix the row, or pass over such rows with malformed: skip")
        self.skipped.append(sentence)

    def finish(
        self,
        name: str,
        *,
        licence: str | None,
        source: str | None,
        digest: str,
        annotators: Sequence[str] = (),
        published: Mapping[str, Any] | None = None,
    ) -> JudgementLog:
        """The log.

        Raises
        ------
        UsageError
            When there is no row, or a row says something twice.
        """
        if not len(self):
            rest = f"; all {len(self.skipped)} are malformed: {self.skipped[0]}" if self.skipped else ""
            raise UsageError(f"dataset '{name}' holds no judgements{rest}")
        arrays = [
            pa.array(self.columns[one.name], one.type.value_type).dictionary_encode()
            if pa.types.is_dictionary(one.type)
            else pa.array(self.columns[one.name], one.type)
            for one in SCHEMA
        ]
        table = pa.table(arrays, schema=SCHEMA)
        status = table["status"].cast(pa.string())
        facts = {
            "judgements": table.num_rows,
            "judges": sorted(set(self.columns["judge"])),
            "skipped_rows": len(self.skipped),
            "without_verdict": int(pc.sum(pc.not_equal(status, "ok")).as_py()),
        }
        return JudgementLog(
            name=name,
            table=table,
            annotators=tuple(annotators),
            published=published or {},
            skipped=tuple(self.skipped),
            digest=digest,
            licence=licence,
            source=source,
            facts=facts,
        )
