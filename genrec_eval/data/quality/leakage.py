"""The leakage audit: does anything of the test reach what models learn from?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.data.quality.finding import Finding
from genrec_eval.data.quality.leakage_checks import Checks
from genrec_eval.data.splits.base import Split

__all__ = ["Finding", "audit"]


def audit(split: Split, train_counts: npt.NDArray[Any] | None = None) -> list[Finding]:
    """Look for every known leak; all is measured on the arrays, nothing taken on trust.

    Parameters
    ----------
    split
        Its facts are asked only for what the method promises.
    train_counts
        int64[items], the popularity that the scenario stores and hands to metrics; None when there is none.

    Returns
    -------
    list of Finding
        In a fixed order; those without a find are ``ok``. What cannot be told without
        timestamps is a note.
    """
    looked = Checks(split)
    found = [*looked.targets(), *looked.time(), *looked.users(), looked.repeated()]
    if train_counts is not None:
        found.append(looked.popularity(np.asarray(train_counts)))
    return [*found, *looked.candidates()]
