"""Model cards: everything a card needs, and no markup from strangers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from audited import HOSTILE, changed

from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.model_card import model_card


def test_a_card_says_use_factors_figures_caveats_and_provenance(quickstart: Path) -> None:
    card = model_card(quickstart, "stutterer")
    heads = [line for line in card.splitlines() if line.startswith("#")]
    for head in (
        "# Model card: stutterer",
        "## Intended use and scope",
        "## Factors",
        "## Figures",
        "## Figures by group",
        "## Claims",
        "## Caveats",
        "## Provenance",
    ):
        assert head in heads
    assert "| top-k | Duplicate&#64;10 ↓ | 30.00 % (29.94 to 30.13) | 1,934 | none |" in card
    assert "| top-k | NDCG&#64;10 ↑ | group=A |" in card
    assert "**FAIL** (as expected): The planted duplicates are caught." in card
    assert "item-knn's" not in card  # claims of other models are on their cards


def test_hostile_text_is_no_markup(copied: Path) -> None:
    def hostile(run: dict[str, Any]) -> None:
        run["suite"]["audit"] = {"purpose": HOSTILE + "\n# head\n| cell | [x](http://x) @team"}
        run["models"]["random"]["top-k"]["description"] = HOSTILE

    card = model_card(changed(copied, hostile), "random")
    assert "<script>" not in card
    assert "<img" not in card
    assert "{{" not in card.replace("&#123;", "")
    assert "\n# head" not in card
    assert "[x](http" not in card
    assert "\u202e" not in card


def test_an_unknown_model_is_a_sentence(quickstart: Path) -> None:
    with pytest.raises(UsageError, match="no figures of a model 'randm'; did you mean 'random'"):
        model_card(quickstart, "randm")
