"""Registered plans from strangers: one sentence or a list of departures, whatever the file holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest
from genrec_eval.engine.registration import SCHEMA, departures, read_plan

CLAIM = {"scenario": "t", "metric": "ndcg@10", "model": "m", "rule": "at_most", "margin": 0.1}
NOW = {"seed": 1, "claims": [CLAIM], "scenarios": {"t": {"models": ["m"]}}, "models": {"m": {}}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[" * 100_000, "is not valid JSON"),
        ("{", "is not valid JSON"),
        ("[]", "is no plan of this version"),
        (json.dumps({"schema": SCHEMA, "digest": "0" * 64, "plan": NOW}), "was changed after it was written"),
    ],
)
def test_what_is_no_plan_gets_a_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(UsageError, match=sentence):
        read_plan(tmp_path / "plan.json", "suite.yaml:3")


@pytest.mark.parametrize(
    "content",
    [
        {"claims": 5, "scenarios": 3, "models": None},
        {"claims": [5, CLAIM], "scenarios": {"t": {"models": 7}}, "models": []},
        {"claims": {"a": 1}, "seed": {}, "scenarios": {"t": None}},
    ],
)
def test_a_plan_of_odd_things_departs(content: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(
        json.dumps({"schema": SCHEMA, "digest": digest(content), "plan": content})
    )
    found = read_plan(tmp_path / "plan.json", "")
    assert list(departures(found["plan"], NOW))
