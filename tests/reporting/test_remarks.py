"""Remarks are notes: a model counts as failed only where something failed."""

from __future__ import annotations

import io
from typing import Any

import pytest
from fixture_run import document
from rich.console import Console

from genrec_eval.protocol.results import Coverage
from genrec_eval.reporting.answer import answer, remarks
from genrec_eval.reporting.gaps import not_tested
from genrec_eval.reporting.markdown import summary
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.terminal import print_results

REMARK = "USR is saturated (100%), yet 97% of the texts open alike"


def told(**changes: Any) -> dict[str, Any]:
    """The fixture with the coverage of item-knn changed."""
    data = document()
    data["coverage"] = [
        row | changes if row["model"] == "item-knn" and row["state"] == "run" else row
        for row in data["coverage"]
    ]
    return data


def printed(data: dict[str, Any]) -> str:
    out = io.StringIO()
    print_results(data, Console(file=out, width=160))
    return out.getvalue()


def test_a_remark_is_a_note_and_no_failure() -> None:
    results = Results.read(told(remark=REMARK))
    assert remarks(results) == [("item-knn", REMARK)]
    assert "Remarked on: item-knn." in answer(results)
    assert "failed" not in answer(results).rpartition("Built-in")[2]
    assert not any("item-knn" in what for what, _ in not_tested(results))
    said = printed(told(remark=REMARK))
    assert f"NOTE - item-knn: {REMARK}" in said
    assert "ERRORS" not in said
    assert "Remarked on: item\\-knn" in summary(told(remark=REMARK)) or "Remarked on" in summary(
        told(remark=REMARK)
    )


def test_a_failure_is_one_with_or_without_a_remark() -> None:
    data = told(reason="3 answers were not usable", remark=REMARK)
    assert "With cases that failed: item-knn." in answer(Results.read(data))
    said = printed(data)
    assert "ERRORS - item-knn in top-k: 3 answers were not usable" in said
    assert f"NOTE - item-knn: {REMARK}" in said


def test_estimates_of_earlier_versions_have_no_remarks() -> None:
    data = document()
    for row in data["coverage"]:
        row.pop("remark", None)
    results = Results.read(data)
    assert remarks(results) == []
    assert all(row.remark is None for row in results.coverage)


def test_the_same_remark_on_several_models_is_told_once() -> None:
    data = document()
    data["coverage"] = [
        row | {"remark": REMARK} if row["state"] == "run" else row for row in data["coverage"]
    ]
    ((who, said),) = remarks(Results.read(data))
    assert said == REMARK
    assert who.startswith("random, popularity")


@pytest.mark.parametrize("remark", [None, "a sentence"])
def test_remarks_survive_the_file(remark: str | None) -> None:
    row = Coverage(model="m", scenario="s", state="run", remark=remark)
    assert Results.read({"run": "r", "coverage": [row.to_json()]}).coverage == (row,)
