"""Guardrails of an experiment: what the stop rule saw and did after every day."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import Float64, Int32, Int64
from genrec_eval.stats.sequential import confidence_sequence, looks

if TYPE_CHECKING:
    from genrec_eval.scenarios.ab_test import Guardrail

Bool = npt.NDArray[np.bool_]

HARM, BENEFIT, CONTINUE = "stop for harm", "stop for benefit", "continue"


def watch(
    guardrail: Guardrail,
    values: Float64,
    entered: Int32,
    treated: Bool,
    control: Bool,
    days: int,
    label: Callable[[int], str] = str,
) -> list[dict[str, Any]]:
    """The looks at one arm, up to the one that stopped it.

    A look follows every day on which a user's window was over; a user is part of it from then on, with the
    outcome complete.

    Parameters
    ----------
    values
        float64[n], outcome of each user over the window.
    entered
        int32[n], day of a user's first exposure.
    treated, control
        bool[n].
    days
        Days of the log.
    label
        Day → what people call it.

    Returns
    -------
    list of dict
        ``day``, ``users`` (control, arm), ``estimate``, ``low`` and ``high`` of the always-valid interval,
        ``harm`` and ``benefit``, the boundaries that the estimate must pass to stop the arm, and ``action``;
        None where nothing was concluded yet.
    """
    ready = entered + guardrail.window - 1
    used = (treated | control) & (ready < days)
    rows = np.flatnonzero(used)
    rows = rows[np.argsort(ready[rows], kind="stable")]
    if not len(rows):
        return []
    when = ready[rows]
    closing = np.unique(when)
    ends: Int64 = np.searchsorted(when, closing, side="right").astype(np.int64)
    seen = looks(values[rows], treated[rows], ends)
    planned = guardrail.planned or len(rows)
    found = confidence_sequence(seen, planned=planned, level=guardrail.level, start=guardrail.start)
    arm_users = np.cumsum(treated[rows])[ends - 1]
    sign = 1.0 if guardrail.better == "higher" else -1.0
    told = []
    for place, day in enumerate(closing.tolist()):
        low, high = float(found.low[place]), float(found.high[place])
        n = (int(ends[place] - arm_users[place]), int(arm_users[place]))
        row: dict[str, Any] = {"day": label(day), "users": list(n)}
        if not np.isfinite(high):
            told.append(
                {**row, "estimate": None, "low": None, "high": None, "harm": None, "benefit": None}
                | {"action": CONTINUE}
            )
            continue
        radius = (high - low) / 2
        worst, best = (high, low) if sign > 0 else (-low, -high)
        action = HARM if worst < -guardrail.margin else BENEFIT if best > 0 else CONTINUE
        told.append(
            {
                **row,
                "estimate": float(seen.difference[place]),
                "low": low,
                "high": high,
                "harm": -sign * (guardrail.margin + radius),
                "benefit": sign * radius,
                "action": action,
            }
        )
        if action != CONTINUE:
            break
    return told
