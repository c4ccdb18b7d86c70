"""Gates and baselines that make no sense, are damaged or were forged: a sentence and its exit code."""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile import EVIL, TOP_K, USERS, cli, refusal, suite

Runs = tuple[Path, Path]
Document = dict[str, Any]


def with_rules(folder: Path, *rules: Any, **keys: Any) -> Path:
    """The suite with another gate."""
    path = folder.parent / "asked.json"
    path.write_text(json.dumps(suite() | {"gate": {"rules": list(rules), **keys}}), "utf-8")
    return path


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"metric": "nope", "at_least": 0.1}, "unknown metric 'nope'"),
        ({"metric": "ndcg@10", "at_least": 0.1}, "does not measure 'ndcg@10'; did you mean 'ndcg@5'?"),
        ({"metric": EVIL, "at_least": 0.1}, "is not of the form name(parameter=value)@k"),
        ({"scenario": "nope", "at_least": 0.1}, "no scenario 'nope'"),
        ({"model": EVIL, "at_least": 0.1}, "no model '<script>"),
        ({"model": "writer", "at_least": 0.1}, "'writer' takes no part in scenario 'top-k'"),
        ({"slice": "kind=zzz", "at_least": 0.1}, "no slice 'kind=zzz'"),
        ({"slice": EVIL, "at_least": 0.1}, "did you mean"),
        ({"by": "nope", "at_least": 0.1}, "no group 'nope' in the run or its baseline (there is: kind)"),
        ({"by": "", "at_least": 0.1}, "no group ''"),
        ({"by": "all", "at_least": 0.1}, "no group 'all'"),
        ({"against": "nope", "not_worse_by": 0.1}, "no model 'nope' in the baseline"),
        ({"not_worse_by": 0}, "must be greater than 0, not 0"),
        ({"not_worse_by": float("nan")}, "needs a finite number, not 'NaN'"),
        ({"within": float("inf")}, "needs a finite number, not 'Infinity'"),
        ({"not_worse_by": 1e308}, "can never break"),
        ({"better_by": 1}, "can never hold"),
        ({"at_least": 0}, "always holds"),
        ({"at_least": True}, "needs a number, not true or false"),
        ({}, "needs exactly one of"),
        ({"at_least": 0.1, "at_most": 0.2}, "not at_least and at_most together"),
    ],
)
def test_a_rule_that_makes_no_sense(hostile_runs: Runs, rule: Document, said: str, tmp_path: Path) -> None:
    before, after = hostile_runs
    asked = with_rules(tmp_path / "x", {**TOP_K, **rule})
    for model, text in {"model.py": "", "log.jsonl": "", "items.jsonl": "", "users.jsonl": ""}.items():
        (tmp_path / model).write_text(text)
    told = refusal("gate", after, "--suite", asked, "--baseline", before)
    assert said in told.replace("in the run (", "in the run or its baseline (")
    assert "asked.json:1: " in told


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ([{**TOP_K, "at_least": 0.9}, {**TOP_K, "at_most": 0.1}], 1),  # both cannot hold
        ([{**TOP_K, "model": "pop", "within": 1e-300}], 4),
        ([{**TOP_K, "at_least": 0.001, "rule": f"{n} {EVIL}"} for n in range(100)], 0),
        ([{**TOP_K, "metric": "coverage@5", "by": "kind", "at_least": 0.1}], 3),
    ],
)
def test_gates_that_are_odd_are_decided(
    hostile_runs: Runs, rules: list[Document], code: int, tmp_path: Path
) -> None:
    before, after = hostile_runs
    asked = with_rules(tmp_path / "x", *rules)
    said = cli("gate", after, "--suite", asked, "--baseline", before, "--json", tmp_path / "gate.json")
    assert said.code == code
    rows = json.loads((tmp_path / "gate.json").read_text())["rows"]
    assert len(rows) >= len(rules)


def pack(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def plain(value: float) -> Document:
    return {"how": "plain", "data": pack(struct.pack("<d", value) * USERS)}


def scores(**change: Any) -> Callable[[Document], None]:
    return lambda document: document["scores"][0].update(change)


def values(**change: Any) -> Callable[[Document], None]:
    return lambda document: document["scores"][0]["values"].update(change)


def kept(**change: Any) -> Callable[[Document], None]:
    return lambda document: document["scenarios"]["top-k"].update(change)


def top(**change: Any) -> Callable[[Document], None]:
    return lambda document: document.update(change)


FORGED: dict[str, tuple[Callable[[Document], Any], str]] = {
    "newer": (top(schema="genrec-eval/baseline/2"), "newer version of genrec-eval (format 2"),
    "endless-version": (top(schema="genrec-eval/baseline/" + "9" * 5000), "is no baseline of genrec-eval"),
    "foreign": (top(schema=EVIL), "is no baseline of genrec-eval"),
    "unknown-key": (top(evil=1), "unknown key 'evil'"),
    "no-units": (top(scenarios={}), "stands without its units"),
    "wrong-length": (kept(units=10**12), "must be at most"),
    "bomb": (values(data=pack(b"\0" * 50_000_000)), "damaged: holds more than"),
    "short": (values(data=pack(b"\0")), "damaged: holds less than"),
    "no-base64": (values(data="é"), "not base64"),
    "no-such-code": (values(data=pack(b"\xff" * USERS)), "stands for no value of the book"),
    "nan": (scores(values=plain(float("nan"))), "not all numbers are finite"),
    "overflow": (
        scores(values={"how": "steps", "data": pack(b"\xff" * 2 * USERS), "step": 1e308, "error": 1e308}),
        "not all numbers are finite",
    ),
    "beyond": (scores(values=plain(50.0)), "a score of 50 is beyond 1, the end of the metric"),
    "weights-below-0": (scores(weights=plain(-1.0)), "a weight is below 0"),
    "weights-of-no-weighted-metric": (scores(weights=plain(1.0)), "have weights on one side only"),
    "a-total-of-its-own": (scores(total=0.5), "have total on one side only"),
    "two-scores": (lambda document: document["scores"].append(document["scores"][0]), "is there twice"),
    "a-slice-called-all": (
        lambda document: document["scenarios"]["top-k"]["slices"].update(all=pack(b"\0" * 8)),
        "a slice of 'top-k' is called all",
    ),
    "two-reasons": (
        scores(reasons={"x": pack(b"\xff" * 8), EVIL: pack(b"\xff" * 8)}),
        "a unit has two reasons",
    ),
    "questions-left-out": (
        lambda document: document["facts"].update(scenarios={}),
        "facts.scenarios does not say how 'top-k' was asked",
    ),
    "definitions-left-out": (
        lambda document: document["facts"].update(definitions={}),
        "facts.definitions does not say what ndcg@5 is",
    ),
    "other-data": (
        lambda document: document["facts"]["data"].update(own=EVIL), "data set 'own' was <script>aler…",
    ),
    "other-definition": (
        lambda document: document["facts"]["definitions"].update({"ndcg@5": EVIL}), "was defined as <script>",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def baseline(hostile_runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("baseline") / "baseline.json"
    assert cli("baseline", "save", hostile_runs[0], "-o", path).code == 0
    return path.read_text("utf-8")


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_baseline(hostile_runs: Runs, baseline: str, name: str, tmp_path: Path) -> None:
    change, said = FORGED[name]
    document = json.loads(baseline)
    change(document)
    path = tmp_path / "forged.json"
    path.write_text(json.dumps(document), "utf-8")
    told = refusal("gate", hostile_runs[1], "--baseline", path)
    assert said in told
    cli("baseline", "show", path)  # whatever it says of it: civilly


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", "seems to be cut off"),
        (lambda text: text[: len(text) // 2], "seems to be cut off"),
        (lambda text: "[" * 100_000, "is not a baseline: maximum recursion depth exceeded"),
        (lambda text: "null", "is no baseline of genrec-eval"),
        (lambda text: text.replace('"error_budget": 0.3', '"error_budget": NaN'), "NaN is no number of JSON"),
        (lambda text: text.replace('"error_budget": 0.3', '"error_budget": 1e999'), "not a finite number"),
        (lambda text: text.replace('"error_budget"', '"error_budget": 1, "error_budget"'), "is there twice"),
        (lambda text: "\udcff", "is not UTF-8 text"),
    ],
)
def test_a_baseline_that_is_no_json(
    hostile_runs: Runs, baseline: str, change: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(change(baseline).encode("utf-8", "surrogateescape"))
    assert said in refusal("gate", hostile_runs[1], "--baseline", path)


def test_everything_that_a_gate_says_is_text(hostile_runs: Runs, baseline: str, tmp_path: Path) -> None:
    before, after = hostile_runs
    kept_file = tmp_path / "baseline.json"
    kept_file.write_text(baseline, "utf-8")
    assert "⟨U+202E⟩" in cli("baseline", "show", kept_file).out
    written = [tmp_path / f"gate.{ending}" for ending in ("json", "xml", "md", "html")]
    flags = zip(("--json", "--junit", "--markdown", "--html"), written, strict=True)
    by_run = cli("gate", after, "--baseline", before, *(word for pair in flags for word in pair), "--github")
    by_file = cli("gate", after, "--baseline", kept_file)
    assert by_run.code == by_file.code
    commands = [line for line in by_run.out.splitlines() if line.startswith("::")]
    assert commands
    assert not [line for line in commands if "::" in line.partition("::")[2].partition("::")[2]]
    for path in written[1:]:
        text = path.read_text("utf-8")
        assert "<script>alert(1)" not in text
        assert not set("\x1b\x07\x00\u202e") & set(text)


def test_an_error_in_github_is_one_harmless_annotation(hostile_runs: Runs, tmp_path: Path) -> None:
    said = cli("gate", hostile_runs[1], "--baseline", tmp_path / EVIL.replace("/", ""), "--github")
    assert said.code == 2
    (command,) = [line for line in said.text.splitlines() if line.startswith("::")]
    assert command.startswith("::error title=Gate%3A it could not be evaluated::there is no baseline")


def test_who_stops_reading_hears_of_no_broken_rule(hostile_runs: Runs) -> None:
    """Rich ends with 1 when a pipe closes, and 1 is what a broken rule ends with."""
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "genrec_eval.cli.main", "compare", *map(str, hostile_runs)]
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_closed_standard_output_and_a_full_one(hostile_runs: Runs) -> None:
    words = [sys.executable, "-m", "genrec_eval.cli.main", "baseline", "save", str(hostile_runs[0])]
    program = f"import subprocess, sys; sys.exit(subprocess.call({words!r}))"
    closed = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, program], capture_output=True, text=True,
        cwd=hostile_runs[0].parent,
    )  # fmt: skip
    assert (closed.returncode, closed.stderr) == (0, "")
    assert (hostile_runs[0].parent / "baseline.json").exists()
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as stream:
        shown = [*words[:3], "baseline", "show", str(hostile_runs[0].parent / "baseline.json")]
        full = subprocess.run(shown, stdout=stream, stderr=subprocess.PIPE, text=True)
    assert (full.returncode, full.stderr) == (2, "error: No space left on device\n")
