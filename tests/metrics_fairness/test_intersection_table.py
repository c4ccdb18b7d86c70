"""The table of intersections: raw counts beside shrunk means, suppressed cells, the pair that differs."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.metrics.grouped.intersections import SHOWN, intersection_table
from genrec_eval.metrics.lists import GroupCodes


def parts_of(sex: np.ndarray, age: np.ndarray) -> list[GroupCodes]:
    return [
        GroupCodes(sex.astype(np.int32), ("F", "M")),
        GroupCodes(age.astype(np.int32), ("18-24", "25-34", "35-44", "45-54", "55+")),
    ]


def world(seed: int, planted: float, n: int = 100) -> tuple[np.ndarray, list[GroupCodes]]:
    rng = np.random.default_rng(seed)
    sex, age = np.repeat([0, 1], 5 * n), np.tile(np.repeat(np.arange(5), n), 2)
    values = rng.normal(0.4 + 0.1 * sex + 0.02 * age, 0.2)
    return values + planted * ((sex == 0) & (age == 3)), parts_of(sex, age)


def test_a_cell_that_the_parts_do_not_explain_is_named() -> None:
    values, parts = world(1, -0.2)
    found = intersection_table(values, parts, seed=1)
    assert [cell.name for cell in found.cells][:2] == ["F*18-24", "F*25-34"]
    assert found.towards == "main effects"
    odd = found.cells[3]
    assert odd.name == "F*45-54"
    assert odd.n == 100
    assert odd.mean is not None
    assert odd.expected is not None
    assert odd.shrunk is not None
    assert odd.mean < odd.shrunk < odd.expected - 0.05
    assert odd.high is not None
    assert odd.high < odd.expected
    assert found.widest is not None
    assert found.widest.p < 0.01
    assert found.cells[found.widest.lower].name == "F*45-54"
    assert found.spread > 0.03


def test_cells_explained_by_their_parts_are_drawn_to_them() -> None:
    values, parts = world(2, 0.0)
    found = intersection_table(values, parts, seed=1)
    raw = np.array([cell.mean for cell in found.cells])
    shrunk = np.array([cell.shrunk for cell in found.cells])
    truth = np.array([0.4 + 0.1 * sex + 0.02 * age for sex in (0, 1) for age in range(5)])
    assert ((shrunk - truth) ** 2).sum() < ((raw - truth) ** 2).sum()
    assert found.spread < 0.03


def test_small_cells_are_suppressed_with_their_count_and_never_the_widest() -> None:
    values, parts = world(3, 0.0)
    keep = np.ones(len(values), bool)
    small, tiny = np.arange(100, 200), np.arange(900, 1000)  # F*25-34 and M*55+
    keep[small[12:]] = keep[tiny[SHOWN - 1 :]] = False
    values[small[:12]] = 9.0
    parts[1].codes[:3] = -1
    found = intersection_table(values, parts, scored=keep, seed=1)
    by_name = {cell.name: cell for cell in found.cells}
    cell = by_name["F*25-34"]
    assert (cell.n, cell.suppressed, cell.mean, cell.low, cell.high) == (12, True, None, None, None)
    assert cell.shrunk is not None
    cell = by_name["M*55+"]
    assert (cell.n, cell.suppressed, cell.mean, cell.shrunk) == (SHOWN - 1, True, None, None)
    assert found.unknown == 3
    assert sum(cell.n for cell in found.cells) + found.unknown == int(keep.sum())
    assert found.widest is not None
    assert "F*25-34" not in {found.cells[found.widest.higher].name, found.cells[found.widest.lower].name}


def test_rates_of_one_attribute_are_drawn_to_their_common_mean() -> None:
    codes = np.repeat(np.arange(5), 40)
    hits = (np.arange(200) % 40 < np.array([0, 8, 8, 8, 16])[codes]).astype(float)
    found = intersection_table(hits, [GroupCodes(codes.astype(np.int32), tuple("abcde"))], seed=1)
    assert found.towards == "grand mean"
    first = found.cells[0]
    assert first.mean == 0.0
    assert first.shrunk is not None
    assert 0 < first.shrunk < 0.2
    assert first.high is not None
    assert first.high > 0.05


def test_nobody_and_one_cell_are_no_error() -> None:
    parts = parts_of(np.zeros(40), np.zeros(40))
    assert intersection_table(np.zeros(40), parts, scored=np.zeros(40, bool), seed=1).cells == ()
    found = intersection_table(np.arange(40.0), parts, seed=1)
    assert (len(found.cells), found.widest, found.towards) == (1, None, "none")
    assert found.cells[0].mean == pytest.approx(19.5)
    assert found.cells[0].shrunk is None
