"""From stored records to lists by arm, and their scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.metrics.sensitivity.arm_lists import Arm, ArmLists, Variant
from genrec_eval.protocol.arrays import PAD, Int32, Int64, Vocabulary
from genrec_eval.scenarios.base import ScoredUnits
from genrec_eval.scenarios.ranking.catalogue import catalogue_of
from genrec_eval.scenarios.ranking.records import USABLE, RecordReader, ragged
from genrec_eval.scenarios.ranking.score import NOT_ATTEMPTED, Part
from genrec_eval.scenarios.ranking.score import score as score_lists
from genrec_eval.scenarios.ranking.units import Units

if TYPE_CHECKING:
    from genrec_eval.scenarios.counterfactual import CounterfactualOptions


def score(
    metrics: Sequence[Metric],
    validity: Sequence[Metric],
    options: CounterfactualOptions,
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
) -> ScoredUnits:
    """See :meth:`genrec_eval.scenarios.counterfactual.Counterfactual.score`."""
    held = list(records)
    valid = score_lists(
        [Part(validity, {one.id: one.id for one in validity})], options.k, cases, context, held
    )
    lists = arm_lists(options, cases, context, held)
    absent = ~np.asarray(valid.attempted)
    scores = {one.id: _of_the_asked(one(lists), absent) for one in metrics}
    return ScoredUnits(
        units=valid.units,
        scores={**scores, **valid.scores},
        groups=valid.groups,
        attempted=valid.attempted,
        answered=valid.answered,
        remark=valid.remark or _unmoved(lists),
    )


def _unmoved(lists: ArmLists) -> str | None:
    """A model that is never told what is disclosed passes every claim about it."""
    told = np.array([v.attribute is not None and v.arm == "sensitive" for v in lists.variants])
    both = lists.answered[:, :, told] & lists.answered[:, :, :1]
    same = (lists.items[:, :, told] == lists.items[:, :, :1]).all(axis=-1)
    filled = (lists.items[:, :, 0] != PAD).any()
    if not (filled and both.any()) or not same[both].all():
        return None
    return (
        "no list changes with what is disclosed: it does not matter to the model, or the model never gets it,"
        " as a function without a parameter 'profile'"
    )


def _of_the_asked(scores: UnitScores, absent: Any) -> UnitScores:
    """Units that were never asked are left out for that reason before any other."""
    if not absent.any():
        return scores
    asked = np.flatnonzero(~absent)
    kept = UnitScores(
        values=scores.values[asked],
        reasons={name: mask[asked] for name, mask in scores.reasons.items()},
        total=scores.total,
        reach=scores.reach,
        weights=None if scores.weights is None else scores.weights[asked],
        sums=None if scores.sums is None else scores.sums[asked],
    )
    return kept.place(asked, len(absent), NOT_ATTEMPTED)


def arm_lists(
    options: CounterfactualOptions,
    cases: pa.Table,
    context: Mapping[str, pa.Table],
    records: Iterable[pa.RecordBatch],
) -> ArmLists:
    """The lists of all records as one array [repeat, unit, variant, slot].

    Raises
    ------
    UsageError
        When records and cases do not belong together.
    """
    units, way = Units.of(cases), cases.column("way").to_numpy().astype(np.int64)
    n, variants = len(units.ids), _variants(context["ways"])
    of = np.arange(n) if units.of_case is None else units.of_case
    m = len(variants)
    if len(way) and (way.min() < 0 or way.max() >= m or len(np.unique(of * m + way)) < len(way)):
        raise UsageError("the case table asks a user twice in the same way: the run directory is damaged")
    reader = _ArmReader(
        cases.column("case").combine_chunks(), Vocabulary(context["items"].column("item")), options.k
    )
    found: dict[int, tuple[Int32, Any]] = {}
    for repeat, chunk in reader.read(records):
        if repeat not in found:
            found[repeat] = np.full((n, m, options.k), PAD, np.int32), np.zeros((n, m), bool)
        items, answered = found[repeat]
        at = of[chunk.rows], way[chunk.rows]
        assert chunk.statuses is not None
        items[at], answered[at] = chunk.items, USABLE[chunk.statuses]  # a refusal is an answer, and no list
    if not found:
        found[0] = np.full((n, m, options.k), PAD, np.int32), np.zeros((n, m), bool)
    asked = np.zeros((n, m), bool)
    asked[of, way] = True
    first = np.unique(of, return_index=True)[1]
    return ArmLists(
        items=np.stack([found[repeat][0] for repeat in sorted(found)]),
        answered=np.stack([found[repeat][1] for repeat in sorted(found)]),
        asked=asked,
        variants=variants,
        own=_own(options, cases, variants, first),
        truth=ragged(cases.column("truth")).take(first),
        catalogue=catalogue_of(context["items"]),
    )


def _variants(ways: pa.Table) -> tuple[Variant, ...]:
    rows = ways.select(["arm", "attribute", "value", "wording"]).to_pylist()
    return tuple(Variant(**{**row, "arm": cast(Arm, row["arm"])}) for row in rows)


def _own(
    options: CounterfactualOptions, cases: pa.Table, variants: Sequence[Variant], first: Int64
) -> dict[str, Int32]:
    """Attribute → int32[n], the variant that discloses a unit's own value; -1 where it is not known."""
    place = {(one.attribute, one.value): at for at, one in enumerate(variants) if one.arm == "sensitive"}
    found = {}
    for name, attribute in options.attributes.items():
        values = pa.array(attribute.values, pa.string())
        said = cases.column(f"own.{name}").combine_chunks().take(pa.array(first))
        codes = (
            pc.index_in(said, value_set=values, skip_nulls=True).fill_null(-1).to_numpy(zero_copy_only=False)
        )
        of = np.array([*(place[name, value] for value in attribute.values), -1], np.int32)
        found[name] = of[codes]
    return found


class _ArmReader(RecordReader):
    """Numbers unknown ids once for all records, so that lists of one user can be compared by them."""

    def __init__(self, cases: pa.Array, items: Vocabulary, k: int) -> None:
        super().__init__(cases, items, k)
        self._nulls = 0
        self._strange: pa.Array = pa.array([], pa.string())

    def _matrix(self, lists: pa.ListArray, usable: Any) -> Int32:
        matrix = super()._matrix(lists, usable)
        nulls = np.nonzero(matrix < np.iinfo(np.int32).min + self.k)  # unknown, and never the same one twice
        matrix[nulls] = np.iinfo(np.int32).min + self._nulls + np.arange(len(nulls[0]))
        self._nulls += len(nulls[0])
        return matrix

    def _numbers(self, unknown: pa.Array) -> Int64:
        words = unknown.cast(pa.string())
        new = pc.unique(words.filter(pc.invert(pc.is_in(words, value_set=self._strange))).drop_null())
        self._strange = pa.concat_arrays([self._strange, new])
        found = pc.index_in(words, value_set=self._strange, skip_nulls=True).fill_null(-1)
        return found.to_numpy(zero_copy_only=False).astype(np.int64)
