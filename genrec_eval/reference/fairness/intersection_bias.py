"""A planted unfairness: only people who hold two values at once get worse lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.fairness.base import Harming, HarmOptions


class IntersectionBiasOptions(HarmOptions):
    """Options of IntersectionBias."""

    attributes: tuple[str, str] = Field(
        default=("gender", "age"), description="The two attributes that decide together."
    )
    values: tuple[str, str] = Field(
        default=("F", "18-24"), description="The value of each that is served worse when both are held."
    )


class IntersectionBias(Harming):
    """A sound list; for those of two values at once, the least popular items at planted positions.

    Whoever holds both values has the similarities of :class:`UnfairValue` (k = 20, ``share`` 0.3: Jaccard
    0.5385); whoever holds one of them, or discloses only one, has exactly 1. So a value alone shows
    nothing beyond its part: where the share p of the people of value a hold b too, an effect d of the
    intersection moves the mean of a by p d, and among those without b there is none.

    With ``known_by: membership`` this is so of the quality of real users: the mean of a group that holds
    one value moves by p d, of the intersection by d, of all others by 0.
    """

    name: ClassVar[str] = "intersection-bias"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "differential_fairness"
    Options: ClassVar[type[StrictModel]] = IntersectionBiasOptions

    @property
    def conditions(self) -> Sequence[tuple[str, str]]:
        """See :attr:`Harming.conditions`."""
        return list(zip(self.options.attributes, self.options.values, strict=True))
