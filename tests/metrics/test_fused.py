"""Compiled and numpy figures are the same ones, whatever the lists; without numba there is only one way."""

from __future__ import annotations

import threading
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranked import ACCURACY, N_ITEMS, User, arrays, populations

from genrec_eval.metrics import fused
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.evaluate import score_lists
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged

NAMES = (
    *ACCURACY,
    "map(denominator=list)",
    "map(denominator=hits)",
    "ndcg(discount=java)",
    "ndcg(discount=java,ideal=slots)",
    "ndcg(gain=binary)",
    "recall(no_truth=one)",
    "ndcg(no_truth=zero,no_list=exclude)",
    "mrr(no_list=exclude)",
)
OTHERS = ("f1(denominator=list)", "recall(view=filtered)", "ndcg(ties=expected)", "invalid", "popularity")
cutoffs = st.lists(st.integers(1, 12), min_size=1, max_size=3)


@pytest.fixture(autouse=True)
def _small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "_ROWS_A_THREAD", 2)  # small lists are shared among threads too


def spelled(ks: list[int], names: tuple[str, ...] = (*NAMES, *OTHERS)) -> list[Any]:
    found = [metric(f"{name}@{k}") for name in names for k in dict.fromkeys(ks)]
    return [*found, metric("r_precision")]


def both(metrics: list[Any], chunks: list[RankedLists]) -> list[dict[str, UnitScores]]:
    """Scores by numpy alone, and with compiled code from the first user on."""
    found = []
    for least in (1 << 60, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fused, "least_users", lambda least=least: least)
            found.append(score_lists(metrics, chunks))
    return found


def assert_same(one: dict[str, UnitScores], other: dict[str, UnitScores]) -> None:
    assert list(one) == list(other)
    for name, scores in one.items():
        np.testing.assert_array_equal(scores.scored, other[name].scored, err_msg=name)
        np.testing.assert_array_equal(
            scores.values[scores.scored], other[name].values[scores.scored], err_msg=name
        )
        assert {k for k, mask in scores.reasons.items() if mask.any()} == {
            k for k, mask in other[name].reasons.items() if mask.any()
        }, name
        for reason, mask in other[name].reasons.items():
            np.testing.assert_array_equal(mask, scores.reasons[reason], err_msg=f"{name} {reason}")


@settings(max_examples=60)
@given(population=populations, ks=cutoffs, cut=st.integers(0, 12))
def test_compiled_and_numpy_agree_to_the_last_bit(population: list[User], ks: list[int], cut: int) -> None:
    pytest.importorskip("numba")
    chunks = [arrays(part, N_ITEMS) for part in (population[:cut], population[cut:]) if part]
    assert_same(*both(spelled(ks), chunks))


@settings(max_examples=20)
@given(population=populations, ks=cutoffs, data=st.data())
def test_grades_leave_graded_gains_to_numpy(population: list[User], ks: list[int], data: Any) -> None:
    pytest.importorskip("numba")
    lists = arrays(population, N_ITEMS)
    graded = replace(
        lists, grades=np.array([data.draw(st.floats(-1, 5)) for _ in lists.truth.values], np.float64)
    )
    names = ("ndcg", "ndcg(gain=exp)", "ndcg(gain=binary)", "recall")
    assert_same(*both(spelled(ks, names), [graded]))


def test_many_users_with_dirt(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    rng = np.random.default_rng(7)
    n, width, catalogue = 5_000, 40, 300
    items = rng.integers(-30, catalogue, (n, width)).astype(np.int32)
    items[items == -1] = -2
    items[np.arange(width) >= rng.integers(0, 2 * width, n)[:, None]] = -1
    relevant = [rng.choice(catalogue, rng.integers(0, 60), replace=False).tolist() for _ in range(n)]
    whole = replace(
        arrays([User([], []) for _ in range(n)], catalogue),
        items=items,
        truth=Ragged.from_lists([[*row, -1, -1] if row[:1] == [5] else row for row in relevant]),
        answered=rng.random(n) > 0.1,
    )
    chunks = [
        replace(
            whole,
            **{name: getattr(whole, name).take(rows) for name in ("truth", "history", "rejected")},
            **{name: getattr(whole, name)[rows] for name in ("items", "answered")},
        )
        for rows in np.array_split(np.arange(n), 7)
    ]
    metrics = spelled([1, 10, 40, 100], NAMES)
    assert set(fused.Fused(metrics).scores(whole)) == {one.id for one in metrics}
    plain, compiled = both(metrics, chunks)
    assert_same(plain, compiled)
    assert 0 < plain["ndcg@10"].values.mean() < 1
    assert_same(plain, both(metrics, [whole])[1])
    # numpy until there are enough users, then compiled code
    monkeypatch.setattr(fused, "least_users", lambda: 3_000)
    assert_same(plain, score_lists(metrics, chunks))


def test_what_is_compiled_and_what_is_not() -> None:
    assert fused.Fused(spelled([5], NAMES)).ids == [one.id for one in spelled([5], NAMES)]
    assert fused.Fused([metric(f"{name}@5") for name in OTHERS]).ids == []


def test_few_users_load_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "compiled", lambda: pytest.fail("nobody should compile for two users"))
    monkeypatch.setattr(fused, "least_users", lambda: 3)
    score_lists([metric("recall@5")], [arrays([User([1], [1])]), arrays([User([2], [1])])])


def test_a_broken_numba_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")

    def broken(*_: Any, **__: Any) -> Any:
        raise OSError("no such processor")

    monkeypatch.setattr(numba, "njit", broken)
    fused.compiled.cache_clear()
    monkeypatch.setattr(fused, "least_users", lambda: 0)
    lists = arrays([User([1, 2], [2])])
    try:
        with pytest.warns(UserWarning, match=r"numba is installed and does not work \(OSError: no such proc"):
            found = score_lists([metric("mrr@5")], [lists])
        assert found["mrr@5"].values.tolist() == [0.5]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            score_lists([metric("mrr@5")], [lists])
    finally:
        fused.compiled.cache_clear()


def test_no_place_for_compiled_code_costs_only_time(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")
    njit = numba.njit

    def nowhere(*arguments: Any, cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(*arguments, **options)

    monkeypatch.setattr(numba, "njit", nowhere)
    fused.compiled.cache_clear()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert fused.compiled() is not None
    finally:
        fused.compiled.cache_clear()


def test_truth_outside_the_catalogue_never_reaches_compiled_code() -> None:
    pytest.importorskip("numba")
    lists = arrays([User([1], [1])], 3)
    strange = replace(lists, truth=Ragged.from_lists([[1_000_000_000]]))
    assert fused.Fused([metric("recall@1")]).scores(strange) == {}
    assert fused.Fused([metric("recall@1")]).scores(lists)


def test_threads_may_score_at_once() -> None:
    pytest.importorskip("numba")
    rng = np.random.default_rng(1)
    lists = arrays([User(rng.integers(0, 20, 9).tolist(), [1, 2, 3]) for _ in range(400)])
    metrics = spelled([3, 9], NAMES)
    expected = both(metrics, [lists])[0]
    found: list[dict[str, UnitScores]] = []
    many = [fused.Fused(metrics) for _ in range(4)]
    threads = [threading.Thread(target=lambda one=one: found.append(one.scores(lists))) for one in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for scores in found:
        assert_same({name: expected[name] for name in scores}, scores)
