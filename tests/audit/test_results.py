"""``estimates.json``: strict, whole or absent, and read back as written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genrec_eval.audit.results import Results, read_estimates, write_estimates
from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.results import Coverage, Estimate, Ruling, Verdict

number = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
word = st.text(max_size=8)
count = st.integers(0, 10**9)
direction = st.sampled_from(["higher", "lower", "none"])
counts = st.dictionaries(word, count, max_size=3)
estimates = st.builds(
    Estimate, model=word, scenario=word, metric=word, definition=word, slice=word,
    baseline=st.none() | word, value=number, low=number, high=number, level=st.floats(0.5, 0.999),
    interval=st.none() | word, reason=st.none() | word, n=count, attempted=count, answered=count,
    scored=count, excluded=counts, direction=direction,
)  # fmt: skip
verdicts = st.builds(
    Verdict, claim=word, model=word, scenario=word, metric=word, slice=word, baseline=st.none() | word,
    verdict=st.sampled_from(Ruling), expected=st.sampled_from(Ruling), gate=st.booleans(), reason=word,
    value=number, low=number, high=number, margin=st.floats(0, 9),
    rule=st.sampled_from(["at_least", "within"]), direction=direction, needed=st.none() | count,
    where=st.none() | word,
)  # fmt: skip
coverage = st.builds(
    Coverage, model=word, scenario=word, state=st.sampled_from(["run", "partial", "not-run"]),
    reason=st.none() | word, attempted=count, answered=count, statuses=counts,
)  # fmt: skip
results = st.builds(
    Results, run=word, estimates=st.lists(estimates, max_size=3), verdicts=st.lists(verdicts, max_size=3),
    coverage=st.lists(coverage, max_size=3),
    definitions=st.dictionaries(word, st.dictionaries(word, word), max_size=2),
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(results)
def test_what_is_written_is_read_back(tmp_path: Path, written: Results) -> None:
    path = tmp_path / "estimates.json"
    write_estimates(path, written)
    first = path.read_bytes()
    assert read_estimates(path) == written
    write_estimates(path, read_estimates(path))
    assert path.read_bytes() == first
    document = json.loads(first)
    assert document["schema"] == "genrec-eval/estimates/1"
    assert list(document) == ["schema", "run", "estimates", "verdicts", "coverage", "definitions"]
    assert [p.name for p in tmp_path.iterdir()] == ["estimates.json"]


def one(**change: Any) -> Results:
    fields: dict[str, Any] = {
        "model": "m", "scenario": "s", "metric": "x@1", "definition": "x@1", "value": 0.5, "low": 0.4,
        "high": 0.6, "interval": "t", "n": 9, "attempted": 9, "answered": 9, "scored": 9,
        "direction": "higher",
    }  # fmt: skip
    return Results(run="r", estimates=[Estimate(**{**fields, **change})])


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_refused_and_the_old_file_stays(tmp_path: Path, bad: float) -> None:
    path = tmp_path / "estimates.json"
    write_estimates(path, one())
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"x@1 of 'm' in 's' \(all\): high is .*(nan|inf)"):
        write_estimates(path, one(high=bad))
    assert path.read_bytes() == before


def test_a_disk_that_takes_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write to"):
        write_estimates(tmp_path / "nowhere" / "estimates.json", one())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        (b"[]", "has the schema None"),
        (b'{"schema": "genrec-eval/estimates/9"}', "schema 'genrec-eval/estimates/9'; this version reads"),
        (b'{"schema": "genrec-eval/estimates/1", "run": "r"}', "KeyError: 'estimates'"),
        (b'{"schema": "genrec-eval/estimates/1", "run": "r", "estimates": [3], "verdicts": [],'
         b' "coverage": []}', "TypeError"),
        (b'{"schema": "genrec-eval/estimates/1", "run": "r", "estimates": [{"pp": 1}], "verdicts": [],'
         b' "coverage": []}', "unknown key 'pp'"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_ours_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "estimates.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=sentence.replace("(", r"\(")):
        read_estimates(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"estimates.json cannot be read: No such file"):
        read_estimates(tmp_path / "estimates.json")
