"""The judgements of one judge as arrays, which is what every part of the audit works on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.panel import winners
from genrec_eval.judging.rows import IDENTICAL

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

SILENT = ("unparsed", "refused", "truncated")
"""Statuses of a judge that answered without a verdict: what ``on_unparsed`` decides about."""
WORDS = {1.0: "first", 0.5: "tie", 0.0: "second"}

_ITEM = ("scenario", "case", "model", "other", "repeat", "step", "claim")
_ASKED = ("judge", "dialect", "rubric", "task")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Judgements of one judge with one rubric, one row each; those that nobody was asked for are left out.

    Attributes
    ----------
    judge, dialect, rubric, task
        What was asked of whom; dialect is empty where it is not known.
    table
        The rows, schema JUDGEMENTS.
    item
        int64[m], code of what was judged: case, model, other, repeat, step and claim.
    unit
        int64[m], code of the resampling unit.
    swapped
        int64[m]: 0 shown as given, 1 swapped, -1 unknown or no pair.
    sample
        int64[m], the judge's repeat.
    status
        object[m].
    value
        float64[m], NaN without a verdict. Of a pair: 1 the model won, 0 the other, ½ a tie.
    gap
        float64[m], characters of the model's text minus the other's; NaN where unknown.
    """

    judge: str
    dialect: str
    rubric: str
    task: str
    table: pa.Table
    item: Int64
    unit: Int64
    swapped: Int64
    sample: Int64
    status: npt.NDArray[np.object_]
    value: Float64
    gap: Float64

    def __len__(self) -> int:
        return len(self.item)

    @property
    def pairwise(self) -> bool:
        """Whether pairs were judged."""
        return self.task == "pairwise"

    @property
    def judged(self) -> Bool:
        """bool[m], rows with a verdict."""
        return np.isfinite(self.value)

    def where(self, mask: Bool) -> Verdicts:
        """The rows of ``mask``; codes stay as they are."""
        return replace(
            self,
            table=self.table.filter(pa.array(mask)),
            item=self.item[mask],
            unit=self.unit[mask],
            swapped=self.swapped[mask],
            sample=self.sample[mask],
            status=self.status[mask],
            value=self.value[mask],
            gap=self.gap[mask],
        )

    def words(self, column: str) -> list[str | None]:
        """A text column of the table."""
        found: list[str | None] = self.table[column].cast(pa.string()).to_pylist()
        return found


def questions(judgements: pa.Table) -> list[tuple[str, str, str, str]]:
    """Judge, dialect, rubric and task of everything that was asked, in order of appearance."""
    columns = [judgements[name].cast(pa.string()).to_pylist() for name in _ASKED]
    return list(
        dict.fromkeys((str(j), d or "", r or "", str(t)) for j, d, r, t in zip(*columns, strict=True))
    )


def verdicts_of(
    judgements: pa.Table,
    *,
    judge: str | None = None,
    dialect: str | None = None,
    rubric: str | None = None,
    task: str | None = None,
) -> Verdicts:
    """The judgements of one judge.

    Parameters
    ----------
    judgements
        Schema JUDGEMENTS.
    judge, dialect, rubric, task
        Which, where the table has several.

    Raises
    ------
    UsageError
        When nothing fits, or more than one thing does.
    """
    asked = questions(judgements)
    wanted = (judge, dialect, rubric, task)
    fit = [one for one in asked if all(w is None or w == o for w, o in zip(wanted, one, strict=True))]
    if len(fit) != 1:
        shown = "; ".join(" / ".join(filter(None, one)) for one in (fit or asked)[:8])
        many = f"{len(fit)} judges or questions fit, and an audit is of one" if fit else "no judgement fits"
        raise UsageError(
            f"{many}: say which judge, dialect, rubric and task ({shown or 'the table is empty'})"
        )
    found = fit[0]
    keep = None
    for name, word in zip(_ASKED, found, strict=True):
        here = pc.equal(pc.fill_null(judgements[name].cast(pa.string()), ""), word)
        keep = here if keep is None else pc.and_(keep, here)
    status = judgements["status"].cast(pa.string())
    label = pc.fill_null(judgements["label"], "")
    keep = pc.and_(keep, pc.not_equal(status, "not_asked"))
    if found[3] == "pairwise":
        keep = pc.and_(keep, pc.not_equal(label, IDENTICAL))
    table = judgements.filter(keep)
    value = _floats(table["value"])
    value = np.where(table["status"].cast(pa.string()).to_numpy(zero_copy_only=False) == "ok", value, np.nan)
    if found[3] == "pairwise":
        value = np.where(np.isfinite(value), winners(np.nan_to_num(value)), np.nan)
    order = np.array(table["order"].cast(pa.string()).to_pylist(), object)
    return Verdicts(
        judge=found[0],
        dialect=found[1],
        rubric=found[2],
        task=found[3],
        table=table,
        item=codes_of([table[name] for name in _ITEM]),
        unit=codes_of([table["scenario"], table["unit"]]),
        swapped=np.select([order == "given", order == "swapped"], [0, 1], -1).astype(np.int64),
        sample=np.nan_to_num(_floats(table["sample"])).astype(np.int64),
        status=np.array(table["status"].cast(pa.string()).to_pylist(), object),
        value=value,
        gap=_floats(table["length"]) - _floats(table["other_length"]),
    )


def codes_of(columns: list[pa.ChunkedArray]) -> Int64:
    """One code per combination of values; null is a value of its own."""
    total = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        plain = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        words = plain.combine_chunks().dictionary_encode()
        # by value, not by appearance: resamples must not depend on the order of rows
        rank = np.zeros(len(words.dictionary) + 1, np.int64)
        rank[pc.sort_indices(words.dictionary).to_numpy() + 1] = np.arange(1, len(rank))
        codes = rank[words.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64) + 1]
        total = np.unique(total * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1].reshape(-1)
    return total


def _floats(column: pa.ChunkedArray) -> Float64:
    found: Float64 = column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    return found


def both_shown(verdicts: Verdicts) -> tuple[Int64, Int64]:
    """Rows of the same item and repeat in both orders, given and swapped, both with a verdict."""
    kept = verdicts.judged & (verdicts.swapped >= 0)
    key = verdicts.item * (int(verdicts.sample.max(initial=0)) + 1) + verdicts.sample
    given, swapped = (np.flatnonzero(kept & (verdicts.swapped == side)) for side in (0, 1))
    _, first, second = np.intersect1d(key[given], key[swapped], return_indices=True)
    return given[first], swapped[second]


def repeats(verdicts: Verdicts) -> list[Int64]:
    """Rows that answer one and the same question, item and order, where at least two have a verdict."""
    rows = np.flatnonzero(verdicts.judged)
    key = verdicts.item[rows] * 3 + verdicts.swapped[rows] + 1
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    parts = np.split(rows, np.flatnonzero(np.diff(key)) + 1) if len(rows) else []
    return [part for part in parts if len(part) > 1]
