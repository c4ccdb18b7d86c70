"""What metrics of disclosed values work on: the same cases, neutrally and with each value disclosed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.metrics.answers import Answers
from genrec_eval.metrics.base import Bool, UnitScores
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.text.texts import NO_TEXT
from genrec_eval.protocol.arrays import Float64, Int32
from genrec_eval.protocol.status import CODES, Status

NOT_ASKED = CODES.index(Status.NOT_ATTEMPTED)
_REFUSED = CODES.index(Status.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of n cases under one disclosed value, or neutrally.

    Attributes
    ----------
    texts
        Beside the briefs that disclose the value.
    statuses
        int32[n], codes of :data:`~genrec_eval.protocol.status.CODES`; not attempted where never asked.
    """

    texts: Explanations
    statuses: Int32

    def scores(self, of: str) -> UnitScores:
        """Scores of each case under one metric, worked out once.

        A case without a text is excluded as refused, not asked or failed.
        """
        return self.texts.kept(("told", of), lambda: self._scores(of))

    def _scores(self, of: str) -> UnitScores:
        from genrec_eval.metrics.registry import metric

        unasked = self.statuses == NOT_ASKED
        base = metric(of)
        if base.definition.on == "answers":
            tried = np.flatnonzero(~unasked)
            times = np.full(len(tried), np.nan)
            return base(Answers(tried, self.statuses[tried].astype(np.int64), times, len(unasked)))
        found = base(self.texts)
        others = {name: mask for name, mask in found.reasons.items() if name != NO_TEXT}
        return UnitScores(values=found.values, reasons=_some({**self.failures, **others}))

    @property
    def failures(self) -> dict[str, Bool]:
        """Reason → bool[n], cases without a text."""
        silent, unasked = self.texts.missing, self.statuses == NOT_ASKED
        refused = self.statuses == _REFUSED
        return {
            "not-asked": silent & unasked,
            "refused": silent & refused,
            "failed": silent & ~unasked & ~refused,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosures:
    """The same n cases, asked neutrally and with each value of each attribute disclosed.

    Attributes
    ----------
    told
        Attribute → value → what came of it.
    peers
        The neutral texts of the same n cases in each other repeat.
    embedded
        Texts that metrics embedded so far; one for all repeats, so that each text is embedded once.
    """

    neutral: Told
    told: Mapping[str, Mapping[str, Told]]
    peers: Sequence[Sequence[str | None]] = ()
    embedded: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.neutral.texts)

    def values(self, attribute: str) -> Mapping[str, Told]:
        """What came of each value of an attribute.

        Raises
        ------
        UsageError
            When the attribute was not disclosed.
        """
        if attribute not in self.told:
            raise UsageError(
                f"no text was asked for with '{attribute}' disclosed{did_you_mean(attribute, self.told)}"
                f" (disclosed: {', '.join(self.told) or 'nothing'})"
            )
        return self.told[attribute]

    def value(self, attribute: str, value: str) -> Told:
        """What came of one value.

        Raises
        ------
        UsageError
            When it was not disclosed.
        """
        values = self.values(attribute)
        if value not in values:
            raise UsageError(
                f"'{attribute}' was never disclosed as '{value}'{did_you_mean(value, values)}"
                f" (disclosed: {', '.join(values)})"
            )
        return values[value]


def each_alike(scores: UnitScores) -> UnitScores:
    """Sums of the cases of a user as their means: a user with many cases counts once.

    >>> rows = np.array([[3.0, 1.0, 2.0, 2.0], [0.5, 0.5, 1.0, 1.0]])
    >>> each_alike(UnitScores(values=np.zeros(2), sums=rows)).sums.tolist()
    [[1.5, 0.5, 1.0, 1.0], [0.5, 0.5, 1.0, 1.0]]
    """
    if scores.sums is None:
        return scores
    counts = scores.sums[:, -1:]  # a case is scored under all values or none
    means: Float64 = np.divide(scores.sums, counts, out=np.zeros(scores.sums.shape), where=counts > 0)
    return UnitScores(values=scores.values, reasons=scores.reasons, sums=means)


def _some(masks: Mapping[str, Bool]) -> dict[str, Bool]:
    return {name: mask for name, mask in masks.items() if mask.any()}
