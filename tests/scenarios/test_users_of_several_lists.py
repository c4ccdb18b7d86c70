"""Figures of groups where users have several cases and repeats: a user is one user, however often asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.tables import RECORDS
from genrec_eval.scenarios.ranking.score import Part, score

ACME = "outcome=providers,items=Acme"
ITEMS = pa.table(
    {
        "item": ["a0", "a1", "b0", "b1"],
        "train_count": [9, 7, 5, 3],
        "train_users": [9, 7, 5, 3],
        "test_count": [1, 1, 1, 1],
        "provider": ["Acme", "Acme", "Bolt", "Bolt"],
    }
).replace_schema_metadata({"train_users": "20"})


def scored(
    names: list[str], users: int, cases: int, repeats: int, seed: int = 4
) -> tuple[dict[str, UnitScores], Any]:
    """Scores, and what there was: groups, whether Acme was listed [user, case, repeat], and wanted."""
    rng = np.random.default_rng(4)
    groups = rng.integers(0, 3, users)
    found = rng.random((users, cases, repeats)) < np.array([0.3, 0.5, 0.8])[groups][:, None, None]
    due = rng.random((users, cases)) < 0.6
    ids = [[f"u{user}-{case}" for case in range(cases)] for user in range(users)]
    table = pa.table(
        {
            "case": [name for mine in ids for name in mine],
            "unit": np.repeat([f"u{user}" for user in range(users)], cases),
            "truth": [[int(not one) * 2] for one in due.ravel()],
            "history": pa.array([[]] * (users * cases), pa.list_(pa.int32())),
            "group.by": np.repeat(np.array(["A", "B", "C"])[groups], cases),
        }
    )
    table = table.set_column(2, "truth", table["truth"].cast(pa.list_(pa.int32())))
    rows = [
        (ids[user][case], repeat, "a1" if found[user, case, repeat] else "b1")
        for user, case, repeat in np.ndindex(users, cases, repeats)
    ]
    records = pa.record_batch(
        {
            "case": pa.array([row[0] for row in rows]),
            "repeat": pa.array([row[1] for row in rows], pa.int16()),
            "status": pa.array(["ok"] * len(rows)).cast(RECORDS.field("status").type),
            "items": pa.array([[row[2]] for row in rows], RECORDS.field("items").type),
        }
    )
    metrics = [metric(name) for name in names]
    part = Part(metrics, {one.id: one.id for one in metrics})
    return score([part], 1, table, {"items": ITEMS}, [records]).scores, (groups, found, due)


def value(name: str, scores: UnitScores) -> float:
    one = metric(name)
    assert one.definition.combine is not None
    assert scores.sums is not None
    return float(one.definition.combine(scores.sums[scores.scored].sum(axis=0), one.parameters))


def rates(own: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Mean of users' own means, NaN where a rate does not apply to any of their lists."""
    return np.array([np.nanmean(own[groups == group]) for group in range(3)])


def test_each_user_counts_once_with_the_mean_of_their_lists() -> None:
    names = [
        f"demographic_parity(by=by,{ACME})@1",
        f"equal_opportunity(by=by,{ACME})@1",
        f"equalised_odds(by=by,{ACME})@1",
        f"differential_fairness(by=by,{ACME})@1",
        f"differential_fairness_amplification(by=by,{ACME})@1",
    ]
    scores, (groups, found, due) = scored(names, users=150, cases=3, repeats=2)
    lists = found.mean(axis=2)
    here, there = (np.where(mask, lists, np.nan) for mask in (due, ~due))
    with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning, match="Mean of empty slice"):
        plain, when_due, when_not = (rates(np.nanmean(of, axis=1), groups) for of in (lists, here, there))
    sizes = np.bincount(groups)

    def epsilon(means: np.ndarray) -> float:
        chance = (means * sizes + 1) / (sizes + 2)
        return max(np.ptp(np.log(chance)), np.ptp(np.log1p(-chance)))

    expected = [
        np.ptp(plain),
        np.ptp(when_due),
        max(np.ptp(when_due), np.ptp(when_not)),
        epsilon(plain),
        epsilon(plain) - epsilon(rates(due.mean(axis=1), groups)),
    ]
    assert [value(name, scores[metric(name).id]) for name in names] == pytest.approx(expected, abs=1e-12)
    rows = scores[metric(names[0]).id].sums
    assert rows is not None
    assert rows[:, 3:].sum(axis=0).tolist() == sizes.tolist()
    assert rows[:, 3:].max() == 1


def test_least_counts_users_and_no_lists() -> None:
    names = [
        f"{name}(by=by,{ACME},least=30)@1"
        for name in ("demographic_parity", "equalised_odds", "differential_fairness")
    ]
    scores, _ = scored(names, users=60, cases=3, repeats=3)  # groups of about 20 users, and 180 lists
    for one in scores.values():
        assert not one.scored.any()
        assert one.reasons["small-group"].all()
