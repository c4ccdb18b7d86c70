"""What the terminal says of a gate: worst first, whole at every width, plain in a pipe."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from gate_fixture import ROWS, alone, gate, hostile, row
from rich.console import Console

from genrec_eval.audit.gating.types import GateResult
from genrec_eval.core.errors import Exit
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.gate.terminal import print_gate
from genrec_eval.reporting.gate.words import outcome


def printed(result: GateResult, width: int = 200, **more: Any) -> str:
    stream = io.StringIO()
    print_gate(result, Console(file=stream, width=width, **more))
    return stream.getvalue()


def test_the_worst_stands_first_and_every_rule_has_its_word() -> None:
    text = printed(gate())
    assert text.startswith(
        "FAIL ✗ The gate fails: 1 rule is broken, 1 could not be looked at, 1 could not be decided, 1 holds."
        " Exit code 1."
    )
    places = [text.index(f"\n{word}") for word in ("FAIL ✗", "NOT-RUN -", "INSUFFICIENT ?", "PASS ✓")]
    assert places == sorted(places)
    for one in ROWS:
        assert one.rule in text
        if one.verdict is not Ruling.PASS:
            assert one.reason in text
            assert str(one.where) in text
    assert "ndcg@10 −0.022 ± 0.009, asked not worse than the baseline by more than 0.01" in text
    assert "coverage@10 41.0 ± 2.0 %, asked at least 33 %" in text
    assert (
        "0.312 before, 0.290 now; n 943, excluded 7: no answer 7; one-sided test of no loss: p < 0.001,"
        " adjusted 0.001" in text
    )
    assert "About 1,230 units would decide it, if the figure stays." in text


@pytest.mark.parametrize(
    ("rows", "more", "code", "said"),
    [
        ((alone(), row()), {}, Exit.PASS, "PASS ✓ The gate passes: 2 rules hold."),
        ((row(Ruling.FAIL),), {}, Exit.CLAIM_FAILED, "FAIL ✗ The gate fails: 1 rule is broken."),
        (
            (alone(),),
            {"incomplete": ["item-knn answered 80 of 100 cases"]},
            Exit.INCOMPLETE,
            "INCOMPLETE - The gate cannot pass, for the run is incomplete: 1 rule holds.",
        ),
        (
            (alone(), row(Ruling.INSUFFICIENT)),
            {},
            Exit.INCONCLUSIVE,
            "INSUFFICIENT ? The gate is undecided: 1 rule could not be decided, 1 holds.",
        ),
        (
            (alone(), row(Ruling.INSUFFICIENT)),
            {"inconclusive": "warn"},
            Exit.PASS,
            "PASS ✓ The gate passes: 1 rule could not be decided, which only warns, 1 holds.",
        ),
        (
            (row(Ruling.INSUFFICIENT),),
            {"inconclusive": "pass"},
            Exit.PASS,
            "PASS ✓ The gate passes: 1 rule could not be decided, which the suite lets pass.",
        ),
        ((), {}, Exit.PASS, "PASS ✓ The gate passes: it has no rule."),
    ],
)
def test_every_outcome_has_its_sentence_and_code(
    rows: tuple[Any, ...], more: dict[str, Any], code: Exit, said: str
) -> None:
    result = gate(rows, **more)
    text = printed(result)
    assert text.startswith(said)
    assert f"Exit code {int(code)}." in text.splitlines()[0]
    assert outcome(result).code == code


@pytest.mark.parametrize("width", [40, 80, 200])
def test_it_fits_its_width(width: int) -> None:
    for result in (gate(), hostile()):
        assert all(len(line.rstrip()) <= width for line in printed(result, width).splitlines())


def test_a_pipe_gets_no_colour_and_ascii_where_it_must() -> None:
    assert "\x1b" not in printed(hostile())
    assert "\x1b[" in printed(gate(), force_terminal=True, color_system="standard")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_gate(gate(), Console(file=stream, width=80))
    stream.seek(0)
    assert "+/-" in stream.read()


def test_hostile_text_is_no_markup_and_no_command_of_a_ci_service() -> None:
    text = printed(hostile(), 60)
    assert not re.search(r"^\s*::|##\[", text, re.MULTILINE)
    assert "\u202e" not in text
    assert "⟨U+202E⟩" in text.replace("\n", "")
    assert text.count("FAIL ✗") == 3
    assert len(text) < 60_000
