"""What the report says of judges: who they are, what they were asked, and how far they can be read."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from parsed_page import Page
from rich.console import Console

from genrec_eval.reporting.html import render_report
from genrec_eval.reporting.judged import asked_of, column_titles, full_title, is_judged
from genrec_eval.reporting.judges import judges, policy_words
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.terminal import print_results


@pytest.fixture(scope="module")
def results(written: Path) -> Results:
    return Results.load(written)


@pytest.fixture(scope="module")
def section(written: Path, results: Results) -> Any:
    run = json.loads((written / "run.json").read_text())
    return judges(results, run, written, "explanation", results.models())


@pytest.fixture(scope="module")
def words(written: Path) -> str:
    return Page((written / "report.html").read_text("utf-8")).words


def test_each_question_to_each_judge_has_a_row(section: Any) -> None:
    assert [(row.judge, row.question, row.judgements) for row in section.rows] == [
        ("rules", "Faithfulness to the facts, each text scored", "120"),
        ("stranger", "Fluency, each text scored", "120"),
        ("rules", "Support of each claim, claim by claim", section.rows[2].judgements),
        ("rules", "Overall quality, pairs against template", "96"),
        ("first", "Overall quality, pairs against template", "96"),
    ]


def test_verdicts_that_are_missing_are_counted_with_their_status(section: Any) -> None:
    row = section.rows[1]
    assert re.fullmatch(r"\d+ unparsed", row.lost)
    lost = int(row.lost.split()[0])
    assert 20 <= lost <= 40  # a quarter, however many texts are asked about at once
    assert row.verdicts.startswith(f"{100 * (120 - lost) / 120:.0f}")
    assert section.rows[0].lost == ""


def test_a_judge_that_goes_by_position_is_seen_to(section: Any) -> None:
    row = section.rows[4]
    assert row.orders.startswith("0 %")
    assert row.first.startswith("100 %")
    sound = section.rows[3]
    assert sound.orders.startswith("100 %")
    assert sound.first.startswith("50 ")


def test_repeats_are_told_where_there_are_any(section: Any) -> None:
    assert [row.again == "asked once" for row in section.rows] == [True, False, True, True, True]
    assert section.rows[1].again.startswith("100 %")  # it always says 3


def test_the_panel_s_agreement_is_said(section: Any) -> None:
    (said,) = section.panels
    assert said.startswith("Overall quality against template: rules and first agree to Krippendorff's alpha")


def test_what_judges_are_worth_is_said_before_their_figures(words: str) -> None:
    start, figures = (
        words.index("What did the judges say?"),
        words.index("faithfulness by rules: rubric score"),
    )
    before = words[start:figures]
    assert (
        "Judges rules and first go by rules that come with genrec-eval: they are no person and no language"
        in before
    )
    assert "How far judges rules, stranger and first agree with people was not measured" in before
    assert "Texts that should not be judged." in before
    assert "constant : 24 of 24 texts are one and the same" in before.replace("  ", " ")


def test_raw_and_controlled_win_rates_and_the_effect_stand_side_by_side(section: Any) -> None:
    heads = [column.title for table in section.tables for column in table.columns]
    at = heads.index("helpfulness by rules and first: win rate against template")
    assert heads[at + 1 : at + 3] == [
        "helpfulness by rules and first: win rate controlled for length against template",
        "helpfulness by rules and first: effect of length",
    ]
    captions = " ".join(table.caption for table in section.tables)
    assert "By helpfulness (rules and first), against template: " in captions


def test_planted_flaws_of_judges_are_told_with_how_they_are_asked(section: Any) -> None:
    told = dict(section.judges)
    assert "It has a planted flaw: position." in told["first"]
    assert "where they disagree, the pair counts as the mean of both" in told["first"]
    assert "Asked 2 times with fresh seeds; the mean counts." in told["stranger"]
    assert "Below 50 % with a verdict there is no figure." in told["stranger"]
    assert "pair" not in told["stranger"]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"orders": "both", "on_disagree": "drop"}, "the pair is left out and counted"),
        ({"orders": "random"}, "in one order, drawn by seed"),
        ({"orders": "given"}, "so that position counts"),
        ({"on_unparsed": "loss"}, "without a verdict counts as a loss"),
        ({"score_mode": "expected"}, "expectations over its log-probabilities"),
        ({"fence": False}, "one that gives orders may be obeyed"),
        ({"min_coverage": 0.0}, ""),
        ({}, ""),
    ],
)
def test_policies_in_words(policy: dict[str, Any], said: str) -> None:
    assert said in policy_words(policy, {"pairwise"}, {})


def test_titles_say_what_was_asked_of_whom(results: Results) -> None:
    title = results.title("rubric_score(judge=rules,rubric=faithfulness)")
    assert title == "Rubric score: faithfulness by rules"
    asked = asked_of(results, "explanation")
    assert [one.title for one in asked] == [
        "faithfulness, each text scored, judged by rules",
        "fluency, each text scored, judged by stranger",
        "helpfulness, pairs against template, judged by rules and first",
        "claim-support, claim by claim, judged by rules",
    ]
    assert len(set(column_titles(asked).values())) == len(column_titles(asked))
    assert not is_judged({"parameters": {"judge": "", "rubric": ""}})
    assert not is_judged({})
    assert full_title(
        "judge_rank(judge=a,rubric=r)", {"name": "judge_rank", "parameters": {"judge": "a", "rubric": "r"}}
    )


def test_the_terminal_has_a_block_for_judges_and_puts_what_fails_first(written: Path) -> None:
    out = io.StringIO()
    print_results(json.loads((written / "estimates.json").read_text()), Console(file=out, width=200))
    said = out.getvalue()
    held, measured, judged = (
        said.index(words) for words in ("held to rules", "measured\n", "faithfulness, each text scored")
    )
    assert held < measured < judged
    assert "100 (86 to 100) !" in said[held:measured]
    assert "!" not in said[measured:judged]
    assert "! fails a claim or check" in said
    assert said.index("Padding %") < said.index("Sensitive mentions %")  # of which nobody fails


def test_judgements_that_cannot_be_read_end_in_a_sentence(written: Path, tmp_path: Path) -> None:
    copy = tmp_path / "broken"
    shutil.copytree(written, copy)
    (copy / "judgements.parquet").write_bytes(b"PAR1 no")
    assert "The judgements cannot be read: " in render_report(copy)
    (copy / "judgements.parquet").unlink()
    assert "faithfulness by rules" in render_report(copy)
