"""Short and cool to whoever is of one value of one attribute."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing.base import Draw, Written
from genrec_eval.reference.writing.flawed import FlawedWriter

WARMTH = "It makes for a rewarding, memorable and delightful evening."
"""What others are told at the end: nine words, three of them praise."""


class CurtToValueOptions(StrictModel):
    """Options of CurtToValue."""

    attribute: str = Field(default="gender", description="The attribute that decides.")
    value: str = Field(
        default="female", description="The value of it that is written to curtly, as disclosed or stored."
    )
    known_by: Literal["profile", "membership"] = Field(
        default="profile",
        description=(
            "How the writer knows the value: profile, the brief discloses it; membership, the table of users"
            " says it of the user, whatever the brief discloses."
        ),
    )
    share: float = Field(
        default=1.0, ge=0, le=1, description="Share of the texts to people of that value that are curt."
    )


class CurtToValue(FlawedWriter):
    """Ends explanations on a warm sentence, but not those to people of one value of one attribute.

    Nothing else hangs on what the brief discloses: the sentences before it are the same for every value and
    for none. So a text of that value has, with probability ``share``, exactly nine words less than the same
    user's text of any other value, and a tone of (g - b) / (g + b + 1) in place of (g + 3 - b) / (g + b + 4),
    for g words of praise and b of blame in the rest.
    """

    name = "curt-to-value"
    planted: ClassVar[str | None] = "value_gap"
    Options: ClassVar[type[StrictModel]] = CurtToValueOptions

    members: frozenset[str] | None = None
    """Ids of the users of that value, where membership decides."""

    def fit(self) -> None:
        """Look up who is written to curtly.

        Raises
        ------
        UsageError
            When membership counts and nobody is known to be of that value.
        """
        if self.options.known_by != "membership":
            return
        if self.training is None:
            raise UsageError(
                f"reference model '{self.name}': known_by: membership reads the table of users, and there are"
                " no data; use known_by: profile"
            )
        import numpy as np

        from genrec_eval.reference.fairness.people import members

        of_value = members(self.name, self.training, [(self.options.attribute, self.options.value)])
        ids = self.training.users.strings
        self.members = frozenset(ids[code] for code in np.flatnonzero(of_value[:-1]).tolist())

    def identity(self) -> dict[str, Any]:
        """With the training digest where the table of users decides."""
        found = super().identity()
        if self.members is not None and self.training is not None:
            found["training"] = self.training.digest
        return found

    def write(self, brief: Brief, repeat: int = 0) -> Written:
        """The sound sentences of a brief that discloses nothing, and the warm one for most."""
        plain = replace(brief, profile={})
        text = super().write(plain, repeat).text
        if brief.task != "explain" or self._struck(brief, self.draw(plain, repeat, "curt")):
            return Written(text)
        return Written(f"{text} {WARMTH}")

    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """Nothing: what is wrong is what is added for others."""
        return said

    def _struck(self, brief: Brief, draw: Draw) -> bool:
        of_value = (
            brief.profile.get(self.options.attribute) == self.options.value
            if self.members is None
            else brief.user in self.members
        )
        return of_value and draw.number(1_000_000) < round(1_000_000 * self.options.share)
