"""The same disclosure, misspelt or in other words: does the model still do what it does when told plainly?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.sensitivity.arm_lists import ArmLists
from genrec_eval.metrics.sensitivity.compared import (
    DEGENERATE,
    MEANINGS,
    OF,
    PAIRS,
    by_value,
    columns_of,
    compared,
    failures,
    needs_attribute,
    over_pairs,
    scored_of,
)

ARMS = ("typo", "order", "language")
"""Ways of disclosing that should make no difference."""


def _check(parameters: Mapping[str, Any]) -> str | None:
    if (said := needs_attribute(parameters)) is not None:
        return said
    return None if parameters["arm"] else f"name the arm, one of {', '.join(ARMS)}, as in arm=typo"


@define(
    Definition(
        name="arm_similarity",
        title="Similarity to neutral, asked otherwise",
        summary="How alike the lists are that a model gives with nothing disclosed and with a value that is"
        " misspelt, in another order or in another language.",
        formula=(
            "mean over units (and the attribute's values) of the similarity of the list under the value,"
            " asked for in the way of the arm, to the plain neutral list." + PAIRS
        ),
        degenerate=DEGENERATE,
        source="Zhang et al. 2023 (FaiRLLM): typos and other languages; every published variant by its name.",
        direction="none",
        on="arms",
        parameters={
            "arm": ("", ("", *ARMS)),
            "attribute": ("", None),
            "value": ("", None),
            **OF,
        },
        meanings={
            **MEANINGS,
            "arm": "typo: the value is misspelt; order, language: the wordings that are of this arm",
        },
        check=_check,
        traps=(
            "Read it beside neutral_similarity, the same told plainly, and beside neutral_noise of the arm:"
            " other words alone change lists."
        ),
    )
)
def arm_similarity(
    lists: ArmLists, *, k: int, arm: str, attribute: str, value: str, of: str, rule: str, weighted: str
) -> UnitScores:
    """Mean similarity to neutral of the lists under a value, disclosed in the way of ``arm``."""
    columns = columns_of(lists, attribute, value, arm)
    cells = over_pairs(compared(lists, k, of, rule, weighted))
    return scored_of(over_pairs(by_value(lists, cells, columns).T), failures(lists, cells, columns))
