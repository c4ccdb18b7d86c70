"""Predicted ratings in bins, with the mean of what was observed in each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

BINS = 10
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions that lie next to each other.

    Attributes
    ----------
    n
        Ratings in it.
    predicted, observed
        Means.
    low, high
        Interval of the observed mean; None of a single user.
    """

    n: int
    predicted: float
    observed: float
    low: float | None
    high: float | None


def calibrated(directory: Path, scenario: str, model: str) -> list[Bin]:
    """Bins of one model's predictions in a rating scenario; empty where it made none."""
    from genrec_eval.engine.rundir import RunDirectory
    from genrec_eval.scenarios.rating_cases import rated

    tables = RunDirectory.open(directory)
    if (model, scenario) not in tables.played():
        return []
    records = tables.records(model, scenario, ["case", "repeat", "status", "ratings"])
    pairs = rated(tables.cases(scenario), tables.context(scenario), records).pairs
    kept = np.isfinite(pairs.predicted)
    return bins(pairs.predicted[kept], pairs.truth[kept], pairs.rows[kept])


def bins(
    predicted: npt.NDArray[np.float64], observed: npt.NDArray[np.float64], users: npt.NDArray[np.int64]
) -> list[Bin]:
    """Bins of about equal numbers; equal predictions are never parted.

    The interval is that of a mean with clusters: the sums of the deviations of each user are what varies
    independently (Liang and Zeger 1986), Student's t with one degree of freedom less than there are users.

    Examples
    --------
    >>> import numpy as np
    >>> found = bins(np.array([1.0, 1, 2, 2]), np.array([1.0, 2, 2, 3]), np.array([0, 1, 0, 1]))
    >>> [(one.n, one.predicted, one.observed) for one in found]
    [(2, 1.0, 1.5), (2, 2.0, 2.5)]
    """
    if not len(predicted):
        return []
    order = np.argsort(predicted, kind="stable")
    values = predicted[order]
    cuts = np.unique(np.searchsorted(values, np.quantile(values, np.arange(1, BINS) / BINS), side="left"))
    bounds = [0, *(cut for cut in cuts.tolist() if 0 < cut < len(values)), len(values)]
    return [_bin(values[a:b], observed[order[a:b]], users[order[a:b]]) for a, b in pairwise(bounds)]


def _bin(
    predicted: npt.NDArray[np.float64], observed: npt.NDArray[np.float64], users: npt.NDArray[np.int64]
) -> Bin:
    mean = float(observed.mean())
    _, codes = np.unique(users, return_inverse=True)
    sums = np.bincount(codes, observed - mean)
    clusters = len(sums)
    low = high = None
    if clusters > 1:
        error = np.sqrt((sums**2).sum() * clusters / (clusters - 1)) / len(observed)
        half = float(stdtrit(clusters - 1, 1 - (1 - _LEVEL) / 2) * error)
        low, high = mean - half, mean + half
    return Bin(len(observed), float(predicted.mean()), mean, low, high)
