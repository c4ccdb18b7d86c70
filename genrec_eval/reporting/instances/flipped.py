"""Flips: instances whose status changed, or whose score crossed between nothing and something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import Float64

Mask = npt.NDArray[np.bool_]
Int8 = npt.NDArray[np.int8]

KINDS = ("", "status", "gained", "lost", "changed")
"""Of :attr:`genrec_eval.audit.comparing.types.Flip.kind`, by code; none first."""


@dataclass(frozen=True, slots=True)
class Side:
    """Answers to n cases.

    Attributes
    ----------
    status
        object[n], the worst status of each; None where there is no record.
    values
        float64[n] of the main metric.
    scored
        bool[n], where ``values`` count.
    """

    status: npt.NDArray[np.object_]
    values: Float64
    scored: Mask


def flips(
    before: Side, after: Side, direction: str, bounds: tuple[float | None, float | None] = (0.0, None)
) -> Int8:
    """Which of n instances flipped, and how.

    Cases that only one side came to are none. A changed status is told before a changed score; what nothing
    is on a scale is told by :func:`genrec_eval.audit.comparing.flips.side`, as for two runs.

    Returns
    -------
    numpy.ndarray
        int8[n], positions in :data:`KINDS`.

    Examples
    --------
    >>> ok = np.array(["ok", "ok", "ok"], object)
    >>> one = Side(ok, np.array([0.0, 0.5, 0.2]), np.ones(3, bool))
    >>> other = Side(np.array(["ok", "ok", "timeout"], object), np.array([0.3, 0.0, 0.0]), np.ones(3, bool))
    >>> [KINDS[code] for code in flips(one, other, "higher")]
    ['gained', 'lost', 'status']
    """
    from genrec_eval.audit.comparing.flips import side

    both = np.array([word is not None for word in before.status], bool)
    both &= np.array([word is not None for word in after.status], bool)
    crossed = before.scored & after.scored & (side(bounds, before.values) != side(bounds, after.values))
    rose = after.values > before.values
    up, down = {"higher": (2, 3), "lower": (3, 2)}.get(direction, (4, 4))
    found = np.where(crossed, np.where(rose, up, down), 0)
    found = np.where(before.status != after.status, 1, found)
    return np.where(both, found, 0).astype(np.int8)
