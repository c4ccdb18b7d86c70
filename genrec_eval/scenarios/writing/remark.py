"""What is plainly amiss with the texts of a model as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.explanations.explanations import Explanations

SATURATED = 0.99
"""From here up a classic measure tells models apart no more."""
ALIKE = 0.5
"""Share of texts that open alike from which a saturated measure misleads."""
_FEW = 20
"""Texts below which nothing is said about them as a whole."""


def remark(explanations: Explanations, scores: Mapping[str, UnitScores]) -> str | None:
    """What is amiss with the texts, then what metrics have to say of all of them; None for nothing."""
    amiss = _amiss(explanations, scores)
    said = [*([] if amiss is None else [amiss]), *explanations.remarks.values()]
    return "; ".join(said) or None


def _amiss(explanations: Explanations, scores: Mapping[str, UnitScores]) -> str | None:
    """A sentence on a constant text, or on classic measures that are saturated and mislead."""
    texts = [text for text in explanations.texts if text is not None]
    if len(texts) < _FEW:
        return None
    text, most = Counter(texts).most_common(1)[0]
    if most > len(texts) / 2:
        shown = " ".join(text.split())[:60]
        return f"{most} of {len(texts)} texts are the same one: '{shown}'"
    usr, fmr, opening = (_value(scores.get(name)) for name in ("usr", "fmr", "opening_share"))
    if usr >= SATURATED and opening >= ALIKE:
        return f"USR is saturated ({usr:.0%}), yet {opening:.0%} of the texts open alike; read opening_share"
    if fmr >= SATURATED:
        return f"FMR is saturated ({fmr:.0%}) and tells models apart no more; read no_feature and the claims"
    return None


def _value(scores: UnitScores | None) -> float:
    if scores is None:
        return 0.0
    if scores.total is not None:
        return scores.total
    values = scores.values[scores.scored]
    return float(values.mean()) if len(values) else 0.0
