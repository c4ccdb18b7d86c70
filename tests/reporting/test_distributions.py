"""Histograms by streaming agree with numpy on the whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genrec_eval.core.randomness import generator
from genrec_eval.protocol.tables import SCORES
from genrec_eval.reporting.distributions import BARS, distributions, is_mean


def _write(path: Path, columns: dict[tuple[str, str], np.ndarray], size: int) -> Path:
    rows = {name: [] for name in SCORES.names}
    for (model, metric), values in columns.items():
        rows["model"] += [model] * len(values)
        rows["scenario"] += ["s"] * len(values)
        rows["metric"] += [metric] * len(values)
        rows["unit"] += [str(i) for i in range(len(values))]
        rows["value"] += [None if np.isnan(v) else v for v in values.tolist()]
        rows["reason"] += [None] * len(values)
        rows["weight"] += [None] * len(values)
        rows["sums"] += [None] * len(values)
    table = pa.table({n: pa.array(rows[n], SCORES.field(n).type) for n in SCORES.names})
    pq.write_table(table, path, row_group_size=size)
    return path


@pytest.mark.parametrize("size", [7, 100, 10_000])
def test_agrees_with_numpy_whatever_the_row_groups(tmp_path: Path, size: int) -> None:
    draw = generator(3, "histogram")
    a, b = draw.beta(2, 5, 400), draw.beta(5, 2, 300)
    a[:120] = 0.0
    b[:9] = np.nan
    found = distributions(_write(tmp_path / "s.parquet", {("a", "m"): a, ("b", "m"): b}, size))
    kept = b[~np.isnan(b)]
    top = max(a.max(), kept.max())
    one, two = found["a", "s", "m"], found["b", "s", "m"]
    assert (one.low, one.high) == (two.low, two.high) == (0.0, top)
    assert (one.n, one.zero, two.n, two.zero) == (400, 120, 291, 0)
    assert one.mean == pytest.approx(a.mean())
    expected, _ = np.histogram(a[a > 0], BARS, (0, top))
    assert np.abs(np.array(one.shares) * 400 - expected).max() <= 1 + 1e-6
    assert sum(one.shares) == pytest.approx(280 / 400)
    assert two.quartiles == pytest.approx(np.quantile(kept, [0.25, 0.5, 0.75]), abs=top / 100)
    assert one.quartiles[0] == 0.0


def test_negative_and_constant_scores(tmp_path: Path) -> None:
    columns = {
        ("a", "m"): np.array([-2.0, 0.0, 3.0]),
        ("a", "flat"): np.full(5, 7.0),
        ("a", "yes"): np.eye(1, 4)[0],
    }
    found = distributions(_write(tmp_path / "s.parquet", columns, 100))
    assert sum(found["a", "s", "m"].shares) == pytest.approx(2 / 3)
    assert found["a", "s", "flat"].constant
    assert found["a", "s", "yes"].binary
    assert not found["a", "s", "m"].binary
    assert is_mean(found["a", "s", "flat"], 7.0)
    assert not is_mean(found["a", "s", "flat"], 6.9)


def test_no_file_and_no_score(tmp_path: Path) -> None:
    assert distributions(tmp_path / "none.parquet") == {}
    assert distributions(_write(tmp_path / "s.parquet", {("a", "m"): np.array([np.nan])}, 10)) == {}
