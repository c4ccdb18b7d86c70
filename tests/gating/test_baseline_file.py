"""Baseline files: what goes in comes out, small, and what others wrote is refused in a sentence."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gate_sources import GAIN, HIT, RATIO, Made, scores
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genrec_eval.audit.gating.baseline import BaselineSource, baseline_text, chosen, write_baseline
from genrec_eval.audit.gating.blur import Blurred, blurred
from genrec_eval.audit.gating.decide import gate
from genrec_eval.audit.gating.describe import changes
from genrec_eval.audit.gating.vectors import (
    PackedNumbers,
    pack_mask,
    pack_numbers,
    unpack_mask,
    unpack_numbers,
)
from genrec_eval.core.errors import IncompleteError, UsageError
from genrec_eval.metrics.base import UnitScores
from genrec_eval.protocol.results import Coverage, Ruling
from genrec_eval.stats.fits import Student
from genrec_eval.stats.sample import Sample
from genrec_eval.suite.gate import Gate

RNG = np.random.default_rng(3)
N = 60


def _made(**more: Any) -> Made:
    reasons = {"no-truth": np.arange(N) < 3, "failed": np.arange(N) == 7}
    table = {
        "hit": scores(RNG.random(N) < 0.5),
        "gain": scores(RNG.exponential(1, N), reasons=reasons),
        "ratio": scores(RNG.random(N), weights=RNG.random(N), sums=RNG.random((N, 3))),
    }
    whole = {"hit": scores(RNG.random(N), total=0.5, reach=0.1)}
    groups = {"sex=F": RNG.random(N) < 0.4}
    return Made({"m": table, "whole": whole}, (HIT, GAIN, RATIO), slices=groups, **more)


MADE = _made(content=RNG.integers(0, 2**63, N).astype(np.uint64))


def _written(run: Made, path: Path) -> BaselineSource:
    write_baseline(baseline_text(run, chosen(run, None)), path)
    return BaselineSource.open(path)


def _read(path: Path) -> None:
    found = BaselineSource.open(path)
    for model, name in found.pairings():
        for metric in found.metrics(model, name):
            found.scores(model, name, metric)


def _same(one: UnitScores, other: UnitScores) -> None:
    used = one.scored
    assert np.array_equal(used, other.scored)
    assert np.array_equal(one.values[used], other.values[used])
    assert (one.total, one.reach) == (other.total, other.reach)
    assert set(one.reasons) == set(other.reasons)
    for name in ("weights", "sums"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None)
        assert a is None or np.array_equal(a[used], b[used])


def test_a_baseline_says_what_its_run_said(tmp_path: Path) -> None:
    kept = _written(MADE, tmp_path / "b.json")
    assert kept.facts == MADE.facts
    assert kept.coverage == MADE.coverage
    assert (kept.pairings(), kept.error_budget) == (MADE.pairings(), 0.05)
    units = kept.units("s")
    assert np.array_equal(units.keys, MADE.units("s").keys)
    assert np.array_equal(units.content, MADE.units("s").content)
    assert units.names is None
    assert [*units.slices] == ["all", "sex=F"]
    assert np.array_equal(units.slices["sex=F"], MADE.slices["sex=F"])
    for model, name in MADE.pairings():
        assert kept.metrics(model, name) == MADE.metrics(model, name)
        assert np.array_equal(kept.answered(model, name), MADE.answered(model, name))
        for metric in MADE.metrics(model, name):
            one, other = MADE.scores(model, name, metric), kept.scores(model, name, metric)
            assert one is not None
            assert other is not None
            _same(one, other)
            assert kept.rounding(model, name, metric) == 0
    assert kept.scores("m", "s", "nothing") is None


def test_the_same_run_gives_the_same_bytes_and_one_line_a_vector() -> None:
    text = baseline_text(MADE, chosen(MADE, None))
    assert text == baseline_text(MADE, chosen(MADE, None))
    lines = [line for line in text.splitlines() if '"metric"' in line]
    assert [json.loads(line.rstrip(","))["metric"] for line in lines] == ["hit", "gain", "ratio", "hit"]
    assert text.encode().isascii()


def test_only_what_the_gate_names_is_kept() -> None:
    rules = [
        {"scenario": "s", "metric": "gain", "model": "m", "not_worse_by": 0.1},
        {"scenario": "s", "metric": "hit", "at_least": 0.1},
    ]
    found = chosen(MADE, Gate.model_validate({"rules": rules}))
    assert found == [("m", "s", "hit"), ("m", "s", "gain"), ("whole", "s", "hit")]
    against = [{"scenario": "s", "metric": "hit", "model": "m", "against": "whole", "not_worse_by": 0.1}]
    found = chosen(MADE, Gate.model_validate({"rules": against}))
    assert found == [("m", "s", "hit"), ("whole", "s", "hit")]


def test_a_run_that_broke_off_is_no_baseline() -> None:
    rows = [Coverage(model="m", scenario="s", state="run", attempted=60, answered=30, reason="30 timeouts")]
    with pytest.raises(IncompleteError, match=r"m in 's' of made is incomplete \(30 timeouts\)"):
        baseline_text(_made(rows=rows), chosen(MADE, None))


@given(
    arrays(
        np.float64,
        st.integers(0, 40),
        elements=st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, 0.5, 1.0]),
    )
)
def test_small_vectors_are_exact(values: np.ndarray) -> None:
    packed = PackedNumbers.model_validate(pack_numbers(values))
    assert packed.how in {"book", "plain"}
    assert np.array_equal(unpack_numbers(packed, len(values)), values)


@given(arrays(np.bool_, st.integers(0, 40)))
def test_masks_are_exact(mask: np.ndarray) -> None:
    assert np.array_equal(unpack_mask(pack_mask(mask), len(mask)), mask)


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.sampled_from([1e-9, 1.0, 1e6]), st.floats(-5, 5))
def test_large_vectors_are_off_by_no_more_than_they_say(seed: int, scale: float, shift: float) -> None:
    values = np.random.default_rng(seed).exponential(scale, 21_000) + shift
    packed = PackedNumbers.model_validate(pack_numbers(values))
    assert packed.how == "steps"
    off = np.abs(unpack_numbers(packed, len(values)) - values).max()
    slack = 4 * np.finfo(float).eps * (abs(packed.low) + 65_535 * packed.step)
    assert off <= packed.error + slack
    assert packed.error <= 0.5001 * np.ptp(values) / 65_535 + slack
    assert pack_numbers(values, exact=True)["how"] == "plain"


@given(st.integers(0, 2**32), st.integers(2, 60), st.floats(1e-6, 0.5), st.sampled_from([0.5, 0.95, 0.999]))
def test_blurred_intervals_hold_the_exact_one(seed: int, n: int, rounding: float, level: float) -> None:
    rng = np.random.default_rng(seed)
    exact = rng.normal(rng.normal(), rng.choice([0.0, 1e-3, 1.0]), n)
    seen = exact + rng.uniform(-rounding, rounding, n)
    fitted = blurred(Sample(values=seen, scored=np.ones(n, bool), bounds=(-9.0, 9.0)), rounding)
    assert isinstance(fitted.fit, Blurred)
    truth = Student(float(exact.mean()), float(exact.std(ddof=1)) / n**0.5, n - 1)
    low, high = truth.ends(level)
    outer, inner = fitted.fit.ends(level), fitted.fit.inner(level)
    assert outer[0] <= low + 1e-9
    assert outer[1] >= high - 1e-9
    assert inner[0] >= low - 1e-9
    assert inner[1] <= high + 1e-9
    for null in (-0.3, 0.0, 0.4):
        tails = zip(fitted.fit.tails(null), truth.tails(null), strict=True)
        assert all(wide >= min(narrow, 0.5) - 1e-9 for wide, narrow in tails)


def test_rounding_never_turns_a_verdict_round() -> None:
    """At margins a hair beside the ends of the exact interval: undecided at worst, never the opposite."""
    n = 21_000
    before = RNG.exponential(1, n)
    after = before + RNG.normal(-0.02, 0.3, n)
    exact = Made({"m": {"gain": scores(before)}})
    packed = PackedNumbers.model_validate(pack_numbers(before))
    assert packed.how == "steps"

    class Rounded(Made):
        def rounding(self, model: str, scenario: str, metric: str) -> float:
            return packed.error * 1.001

    rounded = Rounded({"m": {"gain": scores(unpack_numbers(packed, n))}})
    run = Made({"m": {"gain": scores(after)}})

    def verdict(baseline: Made, margin: float) -> Ruling:
        asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "not_worse_by": margin}]})
        return gate(run, asked, baseline).rows[0].verdict

    asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "not_worse_by": 0.1}]})
    end = -(gate(run, asked, exact).rows[0].low or 0.0)
    seen = set()
    for apart in (-1e-3, -1e-5, -1e-7, 0.0, 1e-7, 1e-5, 1e-3):
        one, other = verdict(exact, end + apart), verdict(rounded, end + apart)
        assert other in {one, Ruling.INSUFFICIENT}
        seen.add((one, other))
    assert (Ruling.PASS, Ruling.PASS) in seen
    assert (Ruling.FAIL, Ruling.FAIL) in seen
    assert len(seen) > 2
    unchanged = Made({"m": {"gain": scores(before)}})
    found = gate(unchanged, asked, rounded)
    assert (found.rows[0].verdict, found.rows[0].power) == (Ruling.PASS, 1.0)
    assert "16-bit steps" in found.warnings[0]


def _edit(change: Callable[[Any], Any]) -> Callable[[str], str]:
    def edited(text: str) -> str:
        document = json.loads(text)
        change(document)
        return json.dumps(document)

    return edited


BOMB = base64.b64encode(zlib.compress(bytes(10_000_000))).decode()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "seems to be cut off"),
        (lambda text: "", "not valid JSON"),
        (lambda text: "[1]", "is no baseline of genrec-eval"),
        (
            _edit(lambda d: d.update(schema="genrec-eval/baseline/9")),
            "upgrade with: pip install -U genrec-eval",
        ),
        (_edit(lambda d: d.update(schema="genrec-eval/gate/1")), "is no baseline of genrec-eval"),
        (_edit(lambda d: d.update(extra=1)), "unknown key 'extra'"),
        (_edit(lambda d: d.pop("facts")), "missing key 'facts'"),
        (_edit(lambda d: d["scores"][0].update(metrik="x")), "unknown key 'metrik'; did you mean 'metric'?"),
        (_edit(lambda d: d["scores"].append(d["scores"][0])), "m / s / hit is there twice"),
        (_edit(lambda d: d["scores"][0].update(scenario="t")), "stands without its units"),
        (_edit(lambda d: d["scores"][0]["values"].update(data="!!!")), "values: not base64"),
        (_edit(lambda d: d["scores"][0]["values"].update(data=BOMB)), "damaged: holds more than 60 bytes"),
        (_edit(lambda d: d["scores"][0]["values"].update(values=1)), "damaged: holds more than 8 bytes"),
        (
            _edit(lambda d: d["scores"][0]["values"].update(how="pickle")),
            "is one of 'book', 'plain' or 'steps'",
        ),
        (_edit(lambda d: d["scenarios"]["s"].update(units=59)), "damaged: holds more than 472 bytes"),
        (_edit(lambda d: d["scenarios"]["s"].update(units=10**12)), "must be at most"),
        (_edit(lambda d: d["scenarios"]["s"].update(keys=pack_mask(np.zeros(480 * 8, bool)))), "there twice"),
        (_edit(lambda d: d["coverage"][0].update(state="maybe")), "is one of 'run', 'partial' or 'not-run'"),
        (
            lambda text: text.replace('"error_budget": 0.05', '"error_budget": NaN'),
            "NaN is no number of JSON",
        ),
        (
            lambda text: text.replace('"error_budget": 0.05', '"error_budget": 1e999'),
            "is not a finite number",
        ),
        (lambda text: text.replace('"error_budget"', '"facts": 1, "error_budget"'), "'facts' is there twice"),
        (lambda text: "[" * 100_000, "is not a baseline"),
    ],
)
def test_hostile_files_are_refused_in_a_sentence(damage: Any, said: str, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(damage(baseline_text(MADE, chosen(MADE, None))), "utf-8")
    with pytest.raises(UsageError) as refused:
        _read(path)
    assert said in str(refused.value)
    assert "b.json" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00")
    for name, said in (("b.json", "not UTF-8"), ("none.json", "there is no file"), (".", "is a directory")):
        with pytest.raises(UsageError, match=said):
            BaselineSource.open(tmp_path / name)


def test_numbers_that_are_none_are_refused() -> None:
    packed = pack_numbers(np.array([1.0, 2.0, 3.0]))
    assert packed["how"] in {"plain", "book"}
    wild = base64.b64encode(zlib.compress(np.array([1.0, np.nan, np.inf], "<f8").tobytes())).decode()
    with pytest.raises(ValueError, match="not all numbers are finite"):
        unpack_numbers(PackedNumbers(how="plain", data=wild), 3)
    codes = base64.b64encode(zlib.compress(bytes([0, 1, 9]))).decode()
    with pytest.raises(ValueError, match="a code stands for no value"):
        unpack_numbers(PackedNumbers(how="book", book=packed.get("book", wild), values=3, data=codes), 3)


def test_an_update_says_what_it_changes(tmp_path: Path) -> None:
    before = _written(MADE, tmp_path / "b.json")
    assert list(changes(before, MADE, chosen(MADE, None))) == []
    from gate_sources import facts

    moved = MADE.tables["m"]["gain"]
    after = Made(
        {
            "m": {"gain": scores(moved.values - 0.5 + RNG.normal(0, 0.1, N), reasons=moved.reasons)},
            "new": MADE.tables["m"],
        },
        (HIT, GAIN, RATIO),
        facts=facts(run="1" * 16, data={"world": "e" * 64}, models={"m": {"s": '{"k": 3}'}}),
        content=MADE.content,
        slices=MADE.slices,
    )
    said = list(changes(before, after, chosen(after, None)))
    assert said[0].startswith("the run was 0000000000000000 of 2026")
    assert said[1] == "data set 'world' was dddddddddddd… and is eeeeeeeeeeee…"
    assert said[2] == "model 'm' in 's' is another one: k was not said and is 3"
    assert "gain of 'new' in 's' would be new: " in said[4]
    assert any(one.startswith("hit of 'whole' in 's' would be left out: it was") for one in said)
    assert "m's gain differs from the baseline's by −0.5" in said[-1]
