"""What is plainly amiss with the texts of a model as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.explanations.explanations import Explanations

SATURATED = 0.99
_FEW = 20
"""Texts below which nothing is said about them as a whole."""


def remark(explanations: Explanations, scores: Mapping[str, UnitScores]) -> str | None:
    """A sentence on a constant text, or on classic measures that cannot tell models apart any more."""
    texts = [text for text in explanations.texts if text is not None]
    if len(texts) < _FEW:
        return None
    text, most = Counter(texts).most_common(1)[0]
    if most > len(texts) / 2:
        shown = " ".join(text.split())[:60]
        return f"{most} of {len(texts)} texts are the same one: '{shown}'"
    saturated = [name for name in ("usr", "fmr") if _value(scores.get(name)) >= SATURATED]
    if not saturated:
        return None
    return (
        f"{' and '.join(saturated).upper()} of {SATURATED:.0%} or more: saturated, tells models apart no"
        f" more;"
        " read opening_share, swap_fit and the claims instead"
    )


def _value(scores: UnitScores | None) -> float:
    if scores is None:
        return 0.0
    if scores.total is not None:
        return scores.total
    values = scores.values[scores.scored]
    return float(values.mean()) if len(values) else 0.0
