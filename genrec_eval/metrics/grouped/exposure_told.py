"""Which groups of items a figure of exposure comes from, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genrec_eval.core.numbers import first_digits
from genrec_eval.metrics.grouped.exposure_shares import shares_of
from genrec_eval.protocol.arrays import Float64


def farthest(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    """The group whose share of the exposure is farthest from the share that is due to it.

    >>> farthest(np.array([[9.0, 1.0, 6.0, 4.0]]), ("major", "minor"), {})
    'major gets 90 % of the exposure, and 60 % is due to it'
    """
    s, t = shares_of(rows.sum(axis=0))
    distance = np.abs(s - t).round(12)
    at = int(np.where(distance == distance.max(), s, -1.0).argmax())  # of two groups, the one that gains
    return _said(names[at], s[at], t[at])


def least_served(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    """The group that gets the least of what is due to it.

    >>> least_served(np.array([[9.0, 1.0, 6.0, 4.0]]), ("major", "minor"), {})
    'minor gets 10 % of the exposure, and 40 % is due to it'
    """
    s, t = shares_of(rows.sum(axis=0))
    at = int(np.nanargmin(_ratios(s, t)))
    return _said(names[at], s[at], t[at])


def least_and_most(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    """The groups with the least and the most exposure for their merit.

    >>> least_and_most(np.array([[9.0, 1.0, 6.0, 4.0]]), ("major", "minor"), {})
    'least is that of minor (10 % of the exposure, 40 % of the merit), most that of major (90 %, 60 %)'
    """
    s, t = shares_of(rows.sum(axis=0))
    ratios = _ratios(s, t)
    low, high = int(np.nanargmin(ratios)), int(np.nanargmax(ratios))
    if ratios[low] == ratios[high]:
        return ""
    of_low = f"{first_digits(s[low], 'share')} of the exposure, {first_digits(t[low], 'share')} of the merit"
    of_high = f"{first_digits(s[high], 'share')}, {first_digits(t[high], 'share')}"
    return f"least is that of {names[low]} ({of_low}), most that of {names[high]} ({of_high})"


def _said(name: str, share: float, due: float) -> str:
    shown = [first_digits(part, "share") for part in (share, due)]
    return f"{name} gets {shown[0]} of the exposure, and {shown[1]} is due to it"


def _ratios(share: Float64, due: Float64) -> Float64:
    """float64[g], NaN where nothing is due."""
    return np.divide(share, due, out=np.full(len(share), np.nan), where=due > 0)
