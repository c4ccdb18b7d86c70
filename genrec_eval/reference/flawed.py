"""What the models with a planted flaw share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.popularity import Popularity

if TYPE_CHECKING:
    from genrec_eval.reference.lists import Bools


class FlawOptions(StrictModel):
    """Options of a model with a planted flaw."""

    share: float = Field(
        default=0.3, ge=0, le=1, description="Share of list positions with the flaw: floor(k * share) of k."
    )


class Flawed(Popularity):
    """Popularity with a flaw at known positions.

    Of the first ``k`` positions of every list exactly ``floor(k * share)`` are planted, for every k, as
    far as the catalogue and the history allow; so the value that a metric must show is known.
    """

    Options: ClassVar[type[StrictModel]] = FlawOptions

    def planted_at(self, width: int) -> Bools:
        """bool[width], the positions with the flaw."""
        from genrec_eval.reference.lists import planted_positions

        assert isinstance(self.options, FlawOptions)
        return planted_positions(width, self.options.share)
