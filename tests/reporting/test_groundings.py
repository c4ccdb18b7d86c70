"""How written titles were matched, as a reviewer sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from fixture_run import HOSTILE, write_run

from genrec_eval.protocol.tables import RECORDS
from genrec_eval.reporting.groundings import groundings
from genrec_eval.reporting.html import render_report


def _records(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "records").mkdir(parents=True, exist_ok=True)
    base = {"model": "popularity", "scenario": "top-k", "unit": "u", "arm": "neutral", "status": "ok"}
    base |= {"case": "u", "repeat": 0, "step": 0, "attempts": 1, "cached": False}
    table = pa.Table.from_pylist([base | row for row in rows], schema=RECORDS)
    pq.write_table(table, folder / "records" / "written.parquet", row_group_size=2)


ROWS: list[dict[str, Any]] = [
    {"items": ["i1", "i2"], "mentions": ["Heat (1995)", "HEAT"], "grounding": ["exact", "normalised"]},
    {"items": None, "mentions": None, "grounding": None, "status": "refused"},
    {"items": [HOSTILE, "King Kong"], "mentions": [HOSTILE, "King Kong"], "grounding": ["none", "ambiguous"]},
    {"items": ["i2"], "mentions": ["Haet"], "grounding": ["fuzzy"]},
    {"items": ["i2"], "mentions": None, "grounding": ["fuzzy", "none"]},
]


def test_counts_agree_with_the_records_and_examples_name_the_item(tmp_path: Path) -> None:
    _records(tmp_path, ROWS)
    (tmp_path / "cases").mkdir()
    items = pa.table({"item": ["i1", "i2"], "title": ["Heat (1995)", "Heat (1986)"]})
    pq.write_table(items, tmp_path / "cases" / "top-k@items.parquet")
    (found,) = groundings(tmp_path)
    assert found.counts == {"exact": 1, "normalised": 1, "none": 1, "ambiguous": 1, "fuzzy": 1}
    assert found.cells == ["5", "20.0", "20.0", "0.0", "20.0", "20.0", "20.0"]
    assert ("fuzzy", "Haet", "Heat (1986), i2") in found.quoted
    assert ("ambiguous", "King Kong", "") in found.quoted
    assert all(tier != "exact" for tier, _, _ in found.quoted)


def test_the_report_shows_them_and_hostile_titles_do_nothing(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    assert "How were written titles matched" not in render_report(folder)
    _records(folder, ROWS)
    html = render_report(folder)
    assert "How were written titles matched" in html
    assert "<bdi>Haet</bdi></q> was taken for <bdi>i2</bdi> (fuzzy)" in html
    assert "fits several items, so none was picked" in html
    assert "<script>alert" not in html
    assert "\u202e" not in html
