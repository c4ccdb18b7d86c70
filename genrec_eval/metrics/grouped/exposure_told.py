"""Which groups of items a figure of exposure comes from, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genrec_eval.core.numbers import bound
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
    return f"{names[at]} gets {_share(s[at])} of the exposure, and {_share(t[at])} is due to it"


def least_served(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    """The group that gets the least of what is due to it.

    >>> least_served(np.array([[9.0, 1.0, 6.0, 4.0]]), ("major", "minor"), {})
    'minor gets 10 % of the exposure, and 40 % is due to it'
    """
    s, t = shares_of(rows.sum(axis=0))
    at = int(np.where(t > 0, s / np.where(t > 0, t, 1.0), np.inf).argmin())
    return f"{names[at]} gets {_share(s[at])} of the exposure, and {_share(t[at])} is due to it"


def least_and_most(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    """The groups with the least and the most exposure for their merit.

    >>> least_and_most(np.array([[9.0, 1.0, 6.0, 4.0]]), ("major", "minor"), {})
    'least is that of minor (10 % of the exposure, 40 % of the merit), most that of major (90 %, 60 %)'
    """
    s, t = shares_of(rows.sum(axis=0))
    ratios = np.where(t > 0, s / np.where(t > 0, t, 1.0), np.nan)
    low, high = int(np.nanargmin(ratios)), int(np.nanargmax(ratios))
    if ratios[low] == ratios[high]:
        return ""
    of_low = f"{_share(s[low])} of the exposure, {_share(t[low])} of the merit"
    of_high = f"{_share(s[high])}, {_share(t[high])}"
    return f"least is that of {names[low]} ({of_low}), most that of {names[high]} ({of_high})"


def _share(part: float) -> str:
    return bound(float(f"{part:.3g}"), "share")
