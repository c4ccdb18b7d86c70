"""What metrics of experiments work on: the outcomes of n users, an arm of them beside the control."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import Float64

Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome of n users.

    Attributes
    ----------
    total
        float64[n], added up over all exposures of a user.
    exposures
        float64[n], exposures that carry the outcome.
    first, later
        float64[n], mean over a day of the user's first days, and of those after; 0 where a user was not
        there long enough to see both.
    missing
        bool[n], users who are left out because no exposure of theirs carries the outcome.
    before
        float64[n], the same before the experiment, NaN where unknown; None when the log holds nothing.
    adjusted
        float64[n], ``total`` with what was known before taken out (CUPED); None likewise.
    """

    total: Float64
    exposures: Float64
    first: Float64
    later: Float64
    missing: Bool
    before: Float64 | None = None
    adjusted: Float64 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """An arm of an experiment beside its control.

    Attributes
    ----------
    treated, control
        bool[n], the users of the arm and of the control; no user of both.
    outcomes
        Name → outcome.
    both_phases
        bool[n], users who entered early enough to be seen in their first days and after them.
    mismatch
        p-value of the sample-ratio check over all arms.
    unsound
        Whether that makes the comparison worthless.
    stopped
        Outcome → whether its guardrail stopped the arm for harm.
    """

    treated: Bool
    control: Bool
    outcomes: Mapping[str, Outcome]
    both_phases: Bool
    mismatch: float
    unsound: bool
    stopped: Mapping[str, bool]

    def __len__(self) -> int:
        return len(self.treated)

    @property
    def sign(self) -> Float64:
        """float64[n], 1 for the arm, -1 for the control, 0 for others."""
        return self.treated.astype(np.float64) - self.control
