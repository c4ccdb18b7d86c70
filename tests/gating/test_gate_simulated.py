"""The gate by simulation: it stops a true loss, lets no change pass, and says when it cannot tell.

A loss is 1.5 times what the gate's own rows call detectable. ``simulated.py`` says what larger runs found.
"""

from __future__ import annotations

import numpy as np
import pytest
from simulated import margin_for, played, share

RUNS = 60
SLACK = 2.6
"""Standard errors of a share of :data:`RUNS` that chance may add: one test in two hundred would fail so."""


def _least(wanted: float) -> float:
    return wanted - SLACK * (wanted * (1 - wanted) / RUNS) ** 0.5


@pytest.mark.parametrize(
    ("kind", "n", "rules"), [("hit", 200, 1), ("gain", 50, 1), ("ratio", 100, 1), ("gain", 50, 5)]
)
def test_true_losses_fail_and_no_change_does_not(kind: str, n: int, rules: int) -> None:
    margin = margin_for(kind, n)
    same = [played(seed, kind, n, rules, 0.0, margin) for seed in range(RUNS)]
    assert share(same, 1) <= 1 - _least(0.95)
    detectable = float(np.mean([found.rows[0].detectable for found in same]))
    worse = [played(10_000 + seed, kind, n, rules, 1.5 * detectable, margin) for seed in range(RUNS)]
    assert share(worse, 1) >= _least(0.9)


@pytest.mark.parametrize("kind", ["hit", "gain", "ratio"])
def test_underpowered_runs_are_undecided_and_not_passed(kind: str) -> None:
    found = [played(seed, kind, 50, 1, 0.0, margin_for(kind, 50) / 3) for seed in range(40)]
    assert share(found, 0) == 0
    assert share(found, 4) >= 0.9
    open_ones = [one.rows[0] for one in found if one.exit_code == 4]
    assert all(row.power is not None and row.power < 0.8 for row in open_ones)
    assert all(row.needed is not None and row.needed > 50 for row in open_ones)
