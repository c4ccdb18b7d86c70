"""What the terminal and the CI summary say."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from fixture_run import HOSTILE, document, verdicts
from rich.console import Console

from genrec_eval.core.numbers import figure
from genrec_eval.reporting.markdown import summary
from genrec_eval.reporting.terminal import print_results


def _printed(data: dict[str, Any], width: int = 80, report: Path | None = None, **more: Any) -> str:
    stream = io.StringIO()
    print_results(data, Console(file=stream, width=width, **more), report)
    return stream.getvalue()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_fits_its_width(width: int) -> None:
    assert all(len(line) <= width for line in _printed(document(), width).splitlines())


def test_every_figure_has_its_interval_and_every_verdict_its_word() -> None:
    text = _printed(document(), 200)
    units = {name: definition["unit"] for name, definition in document()["definitions"].items()}
    for row in document()["estimates"]:
        if row["slice"] == "all" and row["baseline"] is None:
            shown = figure(row["value"], row["low"], row["high"], unit=units[row["metric"]])
            assert f"{shown.value} ±" in text or f"{shown.value} ({shown.low}" in text
    for verdict in verdicts():
        if verdict.gate:
            assert verdict.claim in text
    assert text.index("FAIL ✗") < text.index("INSUFFICIENT ?") < text.index("CAUGHT ✓") < text.index("PASS ✓")
    assert "FINDING 1 built-in check finds what a claim expects" in text
    assert "About 5,200 units would decide it, if the figure stays." in text
    assert "PASS 3 built-in checks without a finding" in text
    assert "NOT-RUN - llm in top-k: environment variable LLM_KEY is not set" in text


def test_checks_that_could_not_be_decided_are_told_together() -> None:
    data = document()
    for row in data["verdicts"]:
        if not row["gate"] and row["verdict"] == "PASS":
            row |= {"verdict": "INSUFFICIENT", "reason": "it is open", "needed": 99}
    text = _printed(data, 200)
    assert "INSUFFICIENT ? Lists hold no item twice · random, popularity and item-knn" in text
    assert text.count("such as: it is open. About 99 units would decide them all, if the figures stay.") == 1
    assert "3 checks could not be decided" in text


def test_the_level_is_that_of_the_run() -> None:
    data = document()
    for row in data["estimates"]:
        row["level"] = 0.99
    assert "value ± half-width of its 99 % interval" in _printed(data, 200)


def test_plain_where_there_is_no_terminal() -> None:
    assert "\x1b" not in _printed(document())


def test_ascii_where_the_encoding_has_no_more() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_results(document(), Console(file=stream, width=80))
    stream.flush()
    assert b"0.124 +/- 0.007 *" in stream.buffer.getvalue()  # type: ignore[attr-defined]


def test_the_path_of_the_report_is_not_broken() -> None:
    path = Path("/a" * 60) / "report.html"
    assert f"Report: {path}" in _printed(document(), report=path)


def test_hostile_names_reach_neither_terminal_nor_markdown() -> None:
    data = document()
    bad = f"{HOSTILE}\x1b[31m|`a`"
    for row in [*data["estimates"], *data["verdicts"], *data["coverage"]]:
        if row["model"] == "item-knn":
            row["model"] = bad
    data["verdicts"][0]["claim"] = f"[bold]x[/bold] {bad}"
    text = _printed(data, 200)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold]x[/bold]" in text
    markdown = summary(data)
    assert "<script" not in markdown
    assert "\u202e" not in markdown
    assert "`" not in markdown
    tables = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in tables} == {6, 7}


def test_markdown_holds_answer_figures_and_gaps() -> None:
    text = summary(document())
    assert "1 claim failed, 1 could not be decided" in text
    assert "**0.124 ± 0.007**" in text
    assert "**CAUGHT**" in text
    assert "llm in top-k was not run" in text
    assert "not run |" in text


def test_a_value_without_interval_is_not_printed() -> None:
    data = document()
    data["estimates"][0] |= {
        "value": 0.98765,
        "low": None,
        "high": None,
        "interval": None,
        "reason": "one unit",
    }
    assert "0.98" not in _printed(data, 200)
    assert "0.98" not in summary(data)
    assert "no interval" in _printed(data, 200)


def test_a_reason_is_told_whole_below_the_table_and_once() -> None:
    data = document()
    reason = "no unit is scored, for every one of them ended in an error"
    for row in data["estimates"][:2]:
        row |= {"value": None, "low": None, "high": None, "interval": None, "reason": reason}
    text = _printed(data, 200)
    assert text.count(reason) == 1
    assert f"[1] {reason}" in text
    assert "— [1]" in text


def test_a_finding_that_no_claim_expects_is_told_in_full() -> None:
    data = document()
    data["verdicts"] = [row for row in data["verdicts"] if row["expected"] != "FAIL"]
    text = _printed(data, 200)
    assert "FINDING ▲ does not hold: Lists hold no item twice · stutterer" in text
    assert "a claim expects" not in text


def test_checks_that_found_nothing_are_named_and_not_tabled() -> None:
    data = document()
    assert "Duplicates@10 % ↓" in _printed(data, 200)
    data["verdicts"] = [row for row in data["verdicts"] if row["claim"] == "Lists hold no item twice"]
    for row in data["verdicts"]:
        row["verdict"] = "PASS"
    text = _printed(data, 200)
    assert "no finding in Duplicates@10; the figures are in the report" in text
    assert text.count("Duplicates@10") == 1


def test_what_was_never_meant_is_one_line_and_not_missing() -> None:
    data = document()
    more = []
    for scenario in ("next", "ratings"):
        for model in ("random", "popularity"):
            reason = f"model '{model}' is declared for other scenarios"
            more.append({"model": model, "scenario": scenario, "state": "not-run", "reason": reason})
    data["coverage"] += more
    text = _printed(data, 200)
    assert "Asked in these scenarios alone: random and popularity in top-k: the suite says so" in text
    assert "NOT-RUN - random" not in text
    assert "Not run: llm in top-k." in summary(data)
    # a model that ran nowhere is missing, whatever the reason
    data["coverage"] = [row for row in data["coverage"] if row["model"] != "random" or row["state"] != "run"]
    assert "NOT-RUN - random in next: the model is declared for other scenarios" in _printed(data, 200)


def test_checks_open_for_one_reason_share_a_line() -> None:
    data = document()
    for row in data["verdicts"]:
        if not row["gate"]:
            row |= {
                "verdict": "INSUFFICIENT",
                "reason": "only 4 % were answered",
                "needed": None,
                "model": "x",
            }
    text = _printed(data, 200)
    assert text.count("only 4 % were answered") == 1
    assert "INSUFFICIENT ? Lists hold no " in text


def test_nothing_played_is_said_so_and_not_called_figures() -> None:
    data = document() | {"estimates": [], "verdicts": []}
    data["coverage"] = [row | {"state": "not-run", "reason": "it is down"} for row in data["coverage"]]
    for text in (_printed(data, 200), summary(data)):
        assert "No figure could be computed, so nothing was decided. Not run: " in text
        assert "the figures stand" not in text
