"""What metrics of sensitivity work on: lists of n units, each asked the same thing in several ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.protocol.arrays import Int32, Ragged

Arm = Literal["neutral", "paraphrase", "sensitive", "typo", "order", "language"]
"""How a question departs from the plain one: not at all; in other words; with a value of an attribute;
with a misspelt value; with its parts in another order; in another language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way of asking.

    Attributes
    ----------
    arm
        What was changed.
    attribute, value
        What was disclosed; None where nothing was. Of a misspelt value: the value that was meant.
    wording
        Which of several wordings, for paraphrases and languages; None for the plain one.
    """

    arm: Arm
    attribute: str | None = None
    value: str | None = None
    wording: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmLists:
    """Lists of n units under m variants, r times each, exactly as generated.

    Attributes
    ----------
    items
        int32[r, n, m, width]; -1 after the end of a list; <= -2 for an id outside the catalogue, equal ids of
        one unit having equal codes in all its lists.
    answered
        bool[r, n, m]; False where there is no list, because the model gave none or was not asked.
    asked
        bool[n, m]; False where the unit was not asked this variant.
    variants
        m, the plain neutral one first.
    own
        Attribute → int32[n], the variant that discloses the unit's own value; -1 where it is not known.
    truth
        Held-out relevant items per unit; None where nothing is held out.
    catalogue
        What is known of the items; None where lists hold titles and no catalogue was given.
    kept
        What several metrics need of these lists, computed once.
    """

    items: Int32
    answered: npt.NDArray[np.bool_]
    asked: npt.NDArray[np.bool_]
    variants: tuple[Variant, ...]
    own: dict[str, Int32]
    truth: Ragged | None = None
    catalogue: Catalogue | None = None
    kept: dict[tuple[Any, ...], Any] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return self.items.shape[1]
