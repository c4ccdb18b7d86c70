"""Accuracy metrics of many users, all at once: a compiled loop instead of numpy, where numba is installed.

The figures are the same to the last bit: sums run in the order of the ranks in both. What is not asked for in
plain parameters (ties, the filtered view, graded gains) stays with numpy.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics import accuracy, precision_at_hits
from genrec_eval.metrics import fused_kernel as kernel
from genrec_eval.metrics.base import Bool, Metric, UnitScores
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.ndcg import discounts, ndcg
from genrec_eval.metrics.ranked import left_out
from genrec_eval.protocol.arrays import Float64, Int64

MIN_USERS = 10_000
"""Fewer users are never worth compiled code."""
WORTH_LOADING = 250_000
"""As long as numpy takes for so many users under 20 metrics, numba takes to be imported and load its code."""

_ROWS_A_THREAD = 2_000
_ROOM = 1 << 16

Kernel = Callable[..., None]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How the kernel computes a metric.

    Attributes
    ----------
    kind, limit
        Of :mod:`genrec_eval.metrics.fused_kernel`.
    k
        None for all slots.
    possible
        Denominators of as many numbers of relevant items as are given.
    discount
        Of an NDCG.
    graded
        Whether grades, where there are any, would change it.
    """

    kind: int
    k: int | None
    possible: Callable[[Int64], npt.NDArray[Any]]
    limit: int = kernel.WHOLE
    discount: str = "log2"
    graded: bool = False
    no_truth: str = "exclude"
    no_list: str = "zero"


def _plan(metric: Metric) -> _Plan | None:
    """None for what the kernel does not compute."""
    own = dict(metric.parameters)
    if own.pop("view", None) != "generated" or own.pop("ties", None) != "order":
        return None
    planned = _PLANS.get(metric.function)
    edges = {name: own.pop(name) for name in ("no_truth", "no_list")} if planned else {}
    return planned(metric.k, edges, **own) if planned else None


def _recall(k: int, edges: dict[str, Any], denominator: str) -> _Plan:
    most = {"relevant": None, "min": k}[denominator]
    return _Plan(kernel.HITS, k, partial(np.clip, a_min=None, a_max=most), **edges)


def _precision(k: int, edges: dict[str, Any], denominator: str) -> _Plan:
    limit = {"k": kernel.WHOLE, "list": kernel.BY_LENGTH}[denominator]
    return _Plan(kernel.HITS, k, partial(np.full_like, fill_value=k), limit, **edges)


def _f1(k: int, edges: dict[str, Any], denominator: str) -> _Plan | None:
    return _Plan(kernel.HITS, k, lambda relevant: (relevant + k) / 2, **edges) if denominator == "k" else None


def _hit_rate(k: int, edges: dict[str, Any]) -> _Plan:
    return _Plan(kernel.ANY, k, np.ones_like, **edges)


def _mrr(k: int, edges: dict[str, Any]) -> _Plan:
    return _Plan(kernel.FIRST, k, np.ones_like, **edges)


def _r_precision(k: None, edges: dict[str, Any]) -> _Plan:
    return _Plan(kernel.EARLY, k, np.asarray, **edges)


def _map(k: int, edges: dict[str, Any], denominator: str) -> _Plan:
    limit = {"list": kernel.BY_LENGTH, "hits": kernel.BY_HITS}.get(denominator, kernel.WHOLE)
    if denominator == "k":
        return _Plan(kernel.PRECISIONS, k, partial(np.full_like, fill_value=k), limit, **edges)
    most = None if denominator == "relevant" else k
    return _Plan(kernel.PRECISIONS, k, partial(np.clip, a_min=None, a_max=most), limit, **edges)


def _ndcg(k: int, edges: dict[str, Any], gain: str, discount: str, ideal: str) -> _Plan:
    def best(relevant: Int64) -> Float64:
        slots = {"k": np.minimum(relevant, k), "all": relevant, "slots": np.full_like(relevant, k)}[ideal]
        return np.append(0.0, np.cumsum(discounts(int(slots.max(initial=0)), discount)))[slots]

    return _Plan(kernel.GAINS, k, best, discount=discount, graded=gain != "binary", **edges)


_PLANS: dict[Any, Callable[..., _Plan | None]] = {
    accuracy.recall.function: _recall,
    accuracy.precision.function: _precision,
    accuracy.f1.function: _f1,
    accuracy.hit_rate.function: _hit_rate,
    accuracy.r_precision.function: _r_precision,
    precision_at_hits.mrr.function: _mrr,
    precision_at_hits.average_precision.function: _map,
    ndcg.function: _ndcg,
}


def least_users() -> int:
    """How many users it takes for compiled code to pay: fewer once it is loaded."""
    return MIN_USERS if compiled.cache_info().currsize else WORTH_LOADING


class Fused:
    """Computes those of ``metrics`` that the kernel knows, chunk by chunk.

    Attributes
    ----------
    ids
        The metrics it computes.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        planned = {metric.id: plan for metric in metrics if (plan := _plan(metric)) is not None}
        self.ids, self._plans = list(planned), list(planned.values())
        self._cutoffs = np.array(sorted({plan.k for plan in self._plans if plan.k is not None} or {1}))
        self._ways = sorted({plan.discount for plan in self._plans})
        self._kinds = np.array(
            [
                plan.kind + (plan.kind == kernel.GAINS) * self._ways.index(plan.discount)
                for plan in self._plans
            ],
            np.int64,
        )
        self._places = np.searchsorted(self._cutoffs, [plan.k or 1 for plan in self._plans])
        self._limits = np.array([plan.limit for plan in self._plans], np.int64)
        self._possible = np.empty((len(self._plans), 0))
        self._stamps: list[npt.NDArray[np.uint8]] = []
        self._free = np.empty((max(len(self._plans), 1), 0))
        self._pool: ThreadPoolExecutor | None = None

    def scores(self, lists: RankedLists) -> dict[str, UnitScores]:
        """Scores of one chunk; none of those that the kernel cannot compute here."""
        compute = compiled() if self._plans and len(lists) else None
        if compute is None or not _sound(lists):
            return {}
        values = self._values(lists, *compute)
        undefined = lists.truth.lengths == 0
        masks: dict[tuple[str, str], dict[str, Bool]] = {}
        found = {}
        for name, plan, own in zip(self.ids, self._plans, values, strict=True):
            if plan.graded and lists.grades is not None:
                continue
            if plan.no_truth != "exclude":
                own[undefined] = 1.0 if plan.no_truth == "one" else 0.0
            edges = (plan.no_truth, plan.no_list)
            if edges not in masks:
                masks[edges] = left_out(lists, undefined, {}, no_truth=plan.no_truth, no_list=plan.no_list)
            found[name] = UnitScores(values=own, reasons=masks[edges])
        return found

    def _values(self, lists: RankedLists, compute: Kernel, threads: int) -> Float64:
        """float64[metrics, n]."""
        n, width = lists.items.shape
        if all(plan.k is not None for plan in self._plans):
            width = min(width, int(self._cutoffs[-1]))
        relevant = lists.truth.lengths
        most = int(relevant.max())
        if most >= self._possible.shape[1]:
            numbers = np.arange(1 << most.bit_length())
            self._possible = np.array([plan.possible(numbers) for plan in self._plans], np.float64)
        shares = max(1, min(threads, n // _ROWS_A_THREAD))
        if len(self._stamps) < shares or len(self._stamps[0]) <= lists.n_items:
            self._stamps = [np.zeros(lists.n_items + 1, np.uint8) for _ in range(shares)]
        out = self._room(n)
        lengths = lists.lengths if (self._limits == kernel.BY_LENGTH).any() else relevant
        read = (
            np.ascontiguousarray(lists.items[:, :width], np.int32),
            np.ascontiguousarray(lists.truth.offsets, np.int64),
            np.ascontiguousarray(lists.truth.values, np.int32),
            np.ascontiguousarray(lengths, np.int64),
        )
        weights = np.array([discounts(max(width, 1), way) for way in self._ways])
        plans = (self._cutoffs, weights, self._kinds, self._places, self._limits, self._possible)

        def work(share: int) -> None:
            rows = (n * share // shares, n * (share + 1) // shares)
            compute(*read, rows, self._stamps[share], *plans, out)

        if shares == 1:
            work(0)
        else:
            # threads of our own: the default layer of numba ends the process when two threads enter it
            self._pool = self._pool or ThreadPoolExecutor(threads)
            list(self._pool.map(work, range(shares)))
        return out

    def _room(self, n: int) -> Float64:
        """float64[metrics, n]; pieces of large arrays, which come in large pages of memory."""
        if len(self._free[0]) < n:
            self._free = np.empty((len(self._plans), max(n, _ROOM)))
        out, self._free = self._free[:, :n], self._free[:, n:]
        return out


def _sound(lists: RankedLists) -> bool:
    """Whether nothing points outside an array: compiled code does not look."""
    offsets, values = lists.truth.offsets, lists.truth.values
    inside = int(offsets[0]) >= 0 and int(offsets[-1]) <= len(values) and bool((np.diff(offsets) >= 0).all())
    return inside and int(values.max(initial=-1)) < lists.n_items


@lru_cache(1)
def compiled() -> tuple[Kernel, int] | None:
    """The compiled kernel and the number of threads for it; None where numba is absent or does not work."""
    if find_spec("numba") is None:
        return None
    try:
        import numba
        from numba import types

        if numba.config.DISABLE_JIT:
            return None

        def array(of: Any, dimensions: int, readonly: bool = True) -> Any:
            return types.Array(of, dimensions, "C", readonly=readonly)

        whole, wide = types.int64, types.float64
        signature = types.void(
            array(types.int32, 2),
            array(whole, 1),
            array(types.int32, 1),
            array(whole, 1),
            types.UniTuple(whole, 2),
            array(types.uint8, 1, readonly=False),
            array(whole, 1),
            array(wide, 2),
            array(whole, 1),
            array(whole, 1),
            array(whole, 1),
            array(wide, 2),
            types.Array(wide, 2, "A"),
        )
        try:
            # kept beside the code, in NUMBA_CACHE_DIR or in the user's cache: where only they may write
            function = numba.njit(signature, nogil=True, cache=True)(kernel.score_rows)
        except Exception:  # no such place, or what lies there is damaged
            function = numba.njit(signature, nogil=True)(kernel.score_rows)
        return function, int(numba.config.NUMBA_NUM_THREADS)
    except Exception as error:
        warnings.warn(
            f"numba is installed and does not work ({type(error).__name__}: {error}): metrics take the slower"
            " way through numpy",
            stacklevel=2,
        )
        return None
