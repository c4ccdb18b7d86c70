"""What the models with a planted flaw share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.popularity import Popularity

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Interactions
    from genrec_eval.protocol.arrays import Int32
    from genrec_eval.reference.base import ReferenceModel
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


def future_of(model: ReferenceModel) -> Interactions:
    """The held-out interactions, for a model whose flaw it is to look at them.

    Raises
    ------
    UsageError
        When there are none.
    """
    future = model.training.future
    if future is None:
        raise UsageError(
            f"reference model '{model.name}' has the planted flaw to look at the held-out interactions, but"
            " was given none; use it in a scenario with a split, not where all data is training"
        )
    return future


def put(popular: Int32, planted: Bools, known: Int32) -> Int32:
    """Popular lists with other items at the planted positions; popular items move down.

    Parameters
    ----------
    popular
        int32[n, width]
    planted
        bool[width]
    known
        int32[n, planted positions]; where it ends early, -1, the position goes to popularity.
    """
    import numpy as np

    from genrec_eval.reference.lists import closed_up

    wanted = np.zeros(popular.shape, bool)
    wanted[:, planted] = known >= 0
    source = np.maximum(np.cumsum(~wanted, axis=1) - 1, 0)
    items = np.take_along_axis(popular, source, axis=1)
    items[wanted] = known[known >= 0]
    return closed_up(items)
