"""A planted unfairness: people of one value of one attribute get worse lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.fairness.base import Harming, HarmOptions


class UnfairValueOptions(HarmOptions):
    """Options of UnfairValue."""

    attribute: str = Field(default="gender", description="The attribute that decides.")
    value: str = Field(
        default="F", description="The value of it that is served worse, as the data spells it."
    )


class UnfairValue(Harming):
    """A sound list; for one value of an attribute, the least popular items at planted positions.

    What stays, stays at its rank; nothing that comes in was in the neutral list. So with m planted of k
    positions the lists of that value have, exactly and for every user, Jaccard (k - m) / (k + m) with their
    neutral ones, and SERP and PRAG as :mod:`genrec_eval.reference.fairness.effects` gives them (k = 20,
    ``share`` 0.3: 0.5385, 0.7429, 0.7474); every other value has 1. SNSR is 1 less that similarity s, SNSV
    (1 - s) sqrt(g - 1) / g for g values.

    With ``known_by: membership`` the model is told nothing and strikes the users whom the training's table
    says to be of the value. All hits at planted positions are lost but those on least popular items: the
    precision of that group falls by what the planted ranks earned, and no other group's changes.
    """

    name: ClassVar[str] = "unfair-value"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "snsr"
    Options: ClassVar[type[StrictModel]] = UnfairValueOptions

    @property
    def conditions(self) -> Sequence[tuple[str, str]]:
        """See :attr:`Harming.conditions`."""
        return [(self.options.attribute, self.options.value)]
