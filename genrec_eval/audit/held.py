"""What a claim is decided by, beyond the figure as it is reported: its fit, and what its test can show."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.results import Estimate
from genrec_eval.stats.contrast import Fitted
from genrec_eval.stats.fits import Fit
from genrec_eval.stats.intervals import interval_of
from genrec_eval.stats.resolution import Resolution
from genrec_eval.stats.sample import Sample


def id_of(spelling: str, measured: Container[str]) -> str:
    """The id of the metric that a claim spells in its own way, as in ``ndcg(ideal=k)@10``."""
    from genrec_eval.metrics.registry import metric

    spelling = spelling.strip()
    if spelling in measured:
        return spelling
    try:
        return metric(spelling).id
    except UsageError:
        return spelling


@dataclass(frozen=True, slots=True)
class Held:
    """A figure that a claim is about.

    Attributes
    ----------
    resolution
        What the test of the figure can show at most; None where it has none, or shows whatever there is.
    """

    estimate: Estimate
    sample: Sample
    fitted: Fitted
    resolution: Resolution | None = None

    @property
    def fit(self) -> Fit | None:
        """What its interval is read from."""
        return self.fitted.fit

    def at(self, level: float) -> Estimate:
        """The figure with its interval at another level."""
        if self.estimate.low is None or level == self.estimate.level:
            return self.estimate
        found = interval_of(self.sample, self.fitted, level)
        return replace(self.estimate, low=found.low, high=found.high, level=level)
