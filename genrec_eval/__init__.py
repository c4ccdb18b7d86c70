"""genrec-eval: evaluation and responsible-AI audit of generative recommender systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "evaluate_metric", "gate", "load_run", "run"]

if TYPE_CHECKING:
    from genrec_eval.api import compare, gate, load_run, run
    from genrec_eval.metrics.huggingface.offered import evaluate_metric


def __getattr__(name: str) -> Any:
    # Imported on first use, so that `genrec-eval --help` stays instant.
    if name in {"compare", "gate", "load_run", "run"}:
        from genrec_eval import api

        return getattr(api, name)
    if name == "evaluate_metric":
        from genrec_eval.metrics.huggingface.offered import evaluate_metric

        return evaluate_metric
    raise AttributeError(f"module 'genrec_eval' has no attribute '{name}'")
