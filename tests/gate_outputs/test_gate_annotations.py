"""Workflow commands: at the right line of the suite, and nobody's but ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gate_fixture import alone, gate, hostile, row
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.gate.annotations import MOST, annotations, command

COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^:,\r\n]*)(?:,[a-z]+=[^:,\r\n]*)*)::([^\r\n]*)")


def read(line: str) -> tuple[str, dict[str, str], str]:
    """Kind, properties and message, as the runner unescapes them."""
    match = COMMAND.fullmatch(line)
    assert match is not None, line
    given = dict(part.split("=", 1) for part in match[2].split(","))

    def plain(text: str) -> str:
        for code, sign in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            text = text.replace(code, sign)
        return text

    return match[1], {name: plain(value) for name, value in given.items()}, plain(match[3])


def test_each_rule_that_does_not_hold_points_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = [read(line) for line in annotations(gate(warnings=["ndcg@20 is new"]))]
    assert [kind for kind, _, _ in found] == ["error", "error", "error", "warning", "notice"]
    _, given, said = found[0]
    assert given == {"file": "suite.yaml", "line": "12", "title": "FAIL: ndcg does not drop"}
    assert said.startswith(
        "item-knn · top-k: ndcg@10 is −0.022 ± 0.009, asked not worse than the baseline by"
    )
    assert "(95 % interval 0.013 to 0.031)" in said
    assert found[-1][2].startswith("The gate fails: 1 rule is broken")


@pytest.mark.parametrize(
    ("inconclusive", "kind"), [("fail", "error"), ("warn", "warning"), ("pass", "notice")]
)
def test_what_is_undecided_is_as_loud_as_the_suite_says(inconclusive: str, kind: str) -> None:
    found = [read(line) for line in annotations(gate([row(Ruling.INSUFFICIENT)], inconclusive=inconclusive))]
    assert kind in [one for one, given, _ in found if given["title"].startswith("INSUFFICIENT")]


def test_paths_are_those_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "evals"
    inside.mkdir()
    monkeypatch.chdir(inside)
    rows = [
        row(Ruling.FAIL, where="suite.yaml:3"),
        row(Ruling.FAIL, where=f"{inside / 'base, of all.yaml'}:4"),
        row(Ruling.FAIL, where="/somewhere/else.yaml:5"),
        row(Ruling.FAIL, where=None),
        row(Ruling.FAIL, where="suite.yaml"),
    ]
    places = [
        (given.get("file"), given.get("line"))
        for _, given, _ in map(read, annotations(gate(rows), tmp_path))
        if given["title"].startswith("FAIL")
    ]
    assert places == [
        ("evals/suite.yaml", "3"),
        ("evals/base, of all.yaml", "4"),
        (None, None),
        (None, None),
        ("evals/suite.yaml", None),
    ]


def test_more_than_github_shows_is_said() -> None:
    rows = [row(Ruling.FAIL, rule=f"rule {n}") for n in range(25)]
    found = [read(line) for line in annotations(gate(rows))]
    errors = [given["title"] for kind, given, _ in found if kind == "error"]
    assert len(errors) == MOST
    assert errors[-1] == "and 16 more"


def test_a_gate_that_passes_gives_one_notice() -> None:
    assert [read(line)[0] for line in annotations(gate([alone()]))] == ["notice"]


def test_hostile_text_issues_no_command() -> None:
    lines = annotations(hostile())
    assert all("\n" not in line and "\r" not in line for line in lines)
    assert all(len(line) < 4000 for line in lines)
    for line in lines:
        assert read(line)[0] in {"error", "warning", "notice"}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_escaping_comes_back_whole(text: str) -> None:
    assert read(command("error", {"title": text}, text)) == ("error", {"title": text}, text)
