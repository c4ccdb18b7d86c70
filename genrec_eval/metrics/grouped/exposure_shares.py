"""Shares of exposure and of what is due, from what each user adds to both: float64[n, 2 groups]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.extremes import Each, Shares

STILL = 1e-9
"""Standard error of a share below which no user moves it."""

_ROUNDING = 1e-12
"""Share of sums of squares below which their difference is none."""

_FARTHEST = 40.0
"""Standard errors at which p is 0 for all purposes."""


@dataclass(frozen=True, slots=True)
class GroupShares:
    """What each group of items gets and what is due to it, with intervals for all groups at once.

    Attributes
    ----------
    share, due
        float64[g]; due is NaN throughout where nothing is due to anybody.
    share_ends, due_ends, difference_ends, ratio_ends
        Low and high ends, float64[g] each; NaN where they cannot be known.
    p
        float64[g], that share and due are equal, adjusted for the number of groups (Bonferroni), by the
        method of the interval of the difference.
    """

    n: int
    share: Float64
    due: Float64
    share_ends: Each
    due_ends: Each
    difference_ends: Each
    ratio_ends: Each
    p: Float64

    @property
    def difference(self) -> Float64:
        """float64[g]."""
        return self.share - self.due

    @property
    def ratio(self) -> Float64:
        """float64[g], NaN where nothing is due."""
        return np.divide(self.share, self.due, out=np.full(len(self.share), np.nan), where=self.due > 0)


def group_shares(rows: Float64, relevance: bool, level: float) -> GroupShares | None:
    """Every group of items by itself; None with fewer than two users, or where nothing was shown.

    The intervals are those from which the gap and the least ratio are read: simultaneous for all groups.

    Parameters
    ----------
    rows
        float64[n, 2 g], of scored users.
    relevance
        Whether what is due comes from these users, and has an error of its own.

    Examples
    --------
    >>> rows = np.array([[1.0, 1.0, 1.0, 1.0], [2.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    >>> found = group_shares(rows, False, 0.95)
    >>> found.share.round(3).tolist(), found.due.tolist()
    ([0.667, 0.333], [0.5, 0.5])
    """
    from scipy.special import stdtrit

    n, g = len(rows), rows.shape[1] // 2
    if n < 2 or not rows[:, :g].any() or not rows[:, g:].any():
        return None
    s, t, at_s, at_t = pulls_of(rows)
    mine, theirs = known_to(s, at_s), due_of(t, at_t, {"target": "relevance" if relevance else "fixed"})
    together = correlation_of(at_s, at_t)
    z = float(-stdtrit(n - 1, (1 - level) / 2 / g))
    some = t > 0
    ratios = (np.full(g, np.nan), np.full(g, np.nan))
    if some.any():
        known = known_to(s[some], at_s[:, some])
        over = known_to(t[some], at_t[:, some]) if relevance else t[some]
        for whole, part in zip(ratios, known.over(over, together[some], z), strict=True):
            whole[some] = part
    return GroupShares(
        n=n,
        share=s,
        due=t,
        share_ends=mine.at(z),
        due_ends=theirs.at(z) if isinstance(theirs, Shares) else (t, t),
        difference_ends=mine.apart(theirs, together, z),
        ratio_ends=ratios,
        p=_p(lambda far: mine.apart(theirs, together, far), s - t, n - 1),  # type: ignore[arg-type]
    )


def _p(ends: Callable[[Float64], Each], values: Float64, freedom: int) -> Float64:
    """float64[g], where the interval of each difference begins to leave 0 out, times their number."""
    from scipy.special import stdtr

    near, far = np.zeros(len(values)), np.full(len(values), _FARTHEST)
    for _ in range(60):
        middle = (near + far) / 2
        low, high = ends(middle)
        out = np.where(values > 0, low > 0, high < 0)
        near, far = np.where(out, middle, near), np.where(out, far, middle)
    found: Float64 = np.minimum(1.0, 2 * stdtr(freedom, -near) * len(values))
    return np.where(values == 0, 1.0, found)


def shares_of(sums: Float64) -> tuple[Float64, Float64]:
    """float64[..., g] each: shares of exposure and of what is due; NaN where there is none."""
    exposed, due = np.split(np.asarray(sums), 2, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return exposed / exposed.sum(axis=-1, keepdims=True), due / due.sum(axis=-1, keepdims=True)


def pulls_of(rows: Float64) -> tuple[Float64, Float64, Float64, Float64]:
    """Shares of exposure and of what is due, and float64[n, g] each: how each user pulls at them."""
    g = rows.shape[1] // 2
    s, t = shares_of(rows.sum(axis=0))
    exposed, due = rows[:, :g], rows[:, g:]
    at_s = (exposed - exposed.sum(axis=1, keepdims=True) * s) / exposed.sum()
    at_t = (due - due.sum(axis=1, keepdims=True) * t) / due.sum()
    return s, t, at_s, at_t


def known_to(values: Float64, pulls: Float64) -> Shares:
    """Shares with their standard errors, 0 where no user moves one."""
    n = len(pulls)
    errors = np.sqrt((pulls * pulls).sum(axis=0) * n / (n - 1))
    return Shares(values, np.where(errors > STILL, errors, 0.0), n)


@dataclass(frozen=True, slots=True)
class Moments:
    """What some users add to shares of exposure and their errors: of users together the moments add up.

    Attributes
    ----------
    centre
        float64[g], shares around which users are measured, of all users together: rounding then stays small.
    exposed, squares, products
        float64[g], sums of exposure, of squared distances from the centre, and of these times the user's
        whole exposure.
    weight
        Sum of squared whole exposures.
    """

    n: int
    centre: Float64
    exposed: Float64
    squares: Float64
    products: Float64
    weight: float

    @classmethod
    def of(cls, exposed: Float64, centre: Float64) -> Moments:
        """Of users' exposures, float64[n, g]."""
        whole = exposed.sum(axis=1)
        away = exposed - whole[:, None] * centre
        squares = np.einsum("ij,ij->j", away, away)
        return cls(len(exposed), centre, exposed.sum(axis=0), squares, whole @ away, float(whole @ whole))

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            self.n + other.n,
            self.centre,
            self.exposed + other.exposed,
            self.squares + other.squares,
            self.products + other.products,
            self.weight + other.weight,
        )

    def known(self) -> Shares:
        """Shares with their standard errors, as :func:`known_to` has them."""
        total = float(self.exposed.sum())
        values = self.exposed / total
        off = values - self.centre
        size = self.squares + off * off * self.weight
        left = size - 2 * off * self.products
        left = np.where(left > _ROUNDING * size, left, 0.0)
        errors = np.sqrt(left * self.n / (self.n - 1)) / total
        return Shares(values, np.where(errors > STILL, errors, 0.0), self.n)


def correlation_of(one: Float64, two: Float64) -> Float64:
    """float64[g], of what users do to the one with what they do to the other; 0 where one never moves."""
    scale = np.sqrt((one * one).sum(axis=0) * (two * two).sum(axis=0))
    return np.divide((one * two).sum(axis=0), scale, out=np.zeros(len(scale)), where=scale > STILL**2)


def due_of(values: Float64, pulls: Float64, parameters: Mapping[str, Any]) -> Shares | Float64:
    """Shares that are due, with errors where they come from users and are not fixed."""
    return known_to(values, pulls) if parameters.get("target", "relevance") == "relevance" else values
