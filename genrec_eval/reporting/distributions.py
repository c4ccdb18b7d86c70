"""Per-unit scores as histograms, in two streaming passes over ``scores.parquet``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Key = tuple[str, str, str]
"""(model, scenario, metric)."""

BARS = 20
_FINE = 50
_FEW = 1 << 20
_COLUMNS = ["model", "scenario", "metric", "value"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the scores of one model and metric are spread over the units.

    Attributes
    ----------
    n
        Units with a score.
    mean
        Their mean.
    zero, one
        Units at exactly 0 and exactly 1.
    low, high
        Ends of the histogram, common to all models of the metric.
    shares
        Share of the n units in each bar, units at exactly 0 left out.
    quartiles
        25th, 50th and 75th percentile, to the width of a fine bin.
    """

    n: int
    mean: float
    zero: int
    one: int
    low: float
    high: float
    shares: tuple[float, ...]
    quartiles: tuple[float, float, float]

    @property
    def binary(self) -> bool:
        """True when every unit scores 0 or 1: the value itself then says all."""
        return self.zero + self.one == self.n

    @property
    def constant(self) -> bool:
        """True when there is nothing to draw."""
        return self.high <= self.low


def distributions(path: Path) -> dict[Key, Distribution]:
    """Read the histograms of ``scores.parquet``; memory is that of a row group and the histograms.

    Raises
    ------
    UsageError
        When the file is not a table of scores.
    """
    if not path.is_file():
        return {}
    held = path.stat()
    return _read(path, held.st_mtime_ns, held.st_size)


@lru_cache(maxsize=1)  # several parts of one page show them
def _read(path: Path, _changed: int, _bytes: int) -> dict[Key, Distribution]:
    import numpy as np

    keys: dict[Key, int] = {}
    low, high, total, zero, one, n = (np.empty(0) for _ in range(6))
    for codes, values in _batches(path, keys):
        grow = len(keys) - len(low)
        low, high = np.append(low, np.full(grow, np.inf)), np.append(high, np.full(grow, -np.inf))
        zero, one, n, total = (np.append(sums, np.zeros(grow)) for sums in (zero, one, n, total))
        np.minimum.at(low, codes, values)
        np.maximum.at(high, codes, values)
        size = len(keys)
        total += np.bincount(codes, values, size)
        n += np.bincount(codes, minlength=size)
        zero += np.bincount(codes[values == 0], minlength=size)
        one += np.bincount(codes[values == 1], minlength=size)
    if not keys:
        return {}
    low, high = _common(keys, low, high)
    bins = BARS * _FINE
    width = np.where(high > low, (high - low) / bins, 1.0)
    table = np.zeros((len(keys), bins), np.int64)
    for codes, values in _batches(path, keys):
        place = np.clip(((values - low[codes]) / width[codes]).astype(np.int64), 0, bins - 1)
        table += np.bincount(codes * bins + place, minlength=table.size).reshape(table.shape)
    found: dict[Key, Distribution] = {}
    for key, code in keys.items():
        whole = table[code]
        ranks = np.searchsorted(np.cumsum(whole), np.array([0.25, 0.5, 0.75]) * n[code])
        quartiles = np.clip(low[code] + (ranks + 0.5) * width[code], low[code], high[code])
        if low[code] == 0:
            quartiles[ranks == 0] = 0.0  # the lowest bin is nearly all exact zeros
        bars = whole.reshape(BARS, _FINE).sum(axis=1).astype(float)
        if low[code] <= 0 <= high[code]:
            bars[min(BARS - 1, int(-low[code] / width[code]) // _FINE)] -= zero[code]
        found[key] = Distribution(
            n=int(n[code]),
            mean=float(total[code] / n[code]),
            zero=int(zero[code]),
            one=int(one[code]),
            low=float(low[code]),
            high=float(high[code]),
            shares=tuple((np.maximum(bars, 0) / n[code]).tolist()),
            quartiles=(float(quartiles[0]), float(quartiles[1]), float(quartiles[2])),
        )
    return found


def is_mean(distribution: Distribution, value: float | None) -> bool:
    """True when the reported value is the mean of the units; figures of a whole run are not."""
    return value is not None and math.isclose(distribution.mean, value, rel_tol=1e-6, abs_tol=1e-9)


def _common(keys: dict[Key, int], low: Any, high: Any) -> tuple[np.ndarray, np.ndarray]:
    # All models of a metric share one scale; bars start at zero when the scores come near it.
    import numpy as np

    by_metric: dict[tuple[str, str], list[int]] = {}
    for (_, scenario, metric), code in keys.items():
        by_metric.setdefault((scenario, metric), []).append(code)
    for codes in by_metric.values():
        bottom, top = np.min(low[codes]), np.max(high[codes])
        low[codes] = 0.0 if 0 < bottom < 0.5 * top else bottom
        high[codes] = top
    return low, high


def _batches(path: Path, keys: dict[Key, int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        if missing := [name for name in _COLUMNS if name not in file.schema_arrow.names]:
            raise UsageError(f"{path} has no column '{missing[0]}'; redo it with 'genrec-eval score'")
        for group in file.iter_batches(1 << 18, columns=_COLUMNS):
            values = group.column("value").to_numpy(zero_copy_only=False).astype(np.float64, copy=False)
            kept = np.isfinite(values)
            if not kept.any():
                continue
            words, sizes, joint = [], [], np.zeros(len(values), np.int64)
            for name in _COLUMNS[:3]:
                column = group.column(name)
                if not pa.types.is_dictionary(column.type):
                    column = column.dictionary_encode()
                words.append(column.dictionary.to_pylist())
                sizes.append(len(words[-1]))
                codes = column.indices.fill_null(0).to_numpy(zero_copy_only=False)
                joint = joint * max(1, sizes[-1]) + codes
            joint = joint[kept]
            # The words of a batch are few, so counting finds the present ones without a sort.
            present = np.flatnonzero(np.bincount(joint)) if joint.max() < _FEW else np.unique(joint)
            local = np.empty(len(present), np.int64)
            for position, code in enumerate(present.tolist()):
                rest, third = divmod(code, max(1, sizes[2]))
                first, second = divmod(rest, max(1, sizes[1]))
                key = (str(words[0][first]), str(words[1][second]), str(words[2][third]))
                local[position] = keys.setdefault(key, len(keys))
            yield local[np.searchsorted(present, joint)], values[kept]
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"{path} cannot be read ({error}); redo it with 'genrec-eval score'") from None
