"""Our metrics as modules of the library `evaluate`: which there are, and where they can be loaded from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.huggingface import need

if TYPE_CHECKING:
    from genrec_eval.metrics.huggingface.modules import OfferedMetric

SCRIPTS = Path(__file__).resolve().parent / "scripts"
"""A folder per metric, each with a script of its name, as ``evaluate.load`` wants them."""

RANKING = (
    "recall",
    "precision",
    "f1",
    "hit_rate",
    "r_precision",
    "mrr",
    "map",
    "ndcg",
    "jaccard",
    "complete",
    "duplicate",
    "page_ndcg",
    "first_row",
)
"""Metrics of lists of ids beside lists of relevant ids."""

OF_CATALOGUE = (
    "auc",
    "gauc",
    "coverage",
    "gini",
    "entropy",
    "invalid",
    "expected_recall",
    "expected_ndcg",
    "expected_map",
    "expected_mrr",
    "expected_hit_rate",
)
"""Those that need to know which ids there are: ``compute(..., catalogue=[...])``."""


def offered() -> list[str]:
    """Names of the bundled metrics that a script stands for: all of texts, and those of lists above.

    >>> {"bleu", "perplexity", "ndcg", "coverage"} <= set(offered())
    True
    """
    from genrec_eval.metrics.registry import METRICS

    texts = [name for name in METRICS.builtin if METRICS.get(name).definition.on == "texts"]
    return sorted({*texts, *RANKING, *OF_CATALOGUE} - {"evaluate"})


def evaluate_metric(spelling: str) -> OfferedMetric:
    """A metric for ``compute``, ``add_batch`` and ``evaluate.combine``.

    Parameters
    ----------
    spelling
        As in a suite: ``"bleu(tok=none)"``, ``"ndcg@10"``; a cutoff and parameters can be left to
        ``compute(..., k=10, gain="exp")``.

    Raises
    ------
    UsageError
        When the extra is not installed, or there is no such metric of texts or lists.
    """
    need("a metric for the library evaluate", "evaluate", "evaluate")
    from genrec_eval.metrics.huggingface.modules import metric_class

    return metric_class(spelling)()


def script(name: str) -> Path:
    """What ``evaluate.load`` takes: the folder of a metric's script; it works offline.

    >>> script("bleu").name
    'bleu'
    """
    folder = SCRIPTS / name
    if not name.isidentifier() or not (folder / f"{name}.py").is_file():
        raise UsageError(no_such(name, offered()))
    return folder


def no_such(name: str, known: Sequence[str]) -> str:
    """The sentence for a metric that is not offered."""
    return (
        f"metric '{name}' cannot be had through the library evaluate{did_you_mean(name, known)} (what needs"
        f" predictions and references alone can: {', '.join(known)})"
    )
