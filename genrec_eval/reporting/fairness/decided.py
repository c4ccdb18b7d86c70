"""The worst of the verdicts on the claims about one model, as a panel shows it beside the model's finding."""

from __future__ import annotations

from collections.abc import Collection

from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.answer import worst_first
from genrec_eval.reporting.fairness.compared import Decided
from genrec_eval.reporting.fairness.compared import decided as in_words
from genrec_eval.reporting.results import Results


def decided(results: Results, scenario: str, model: str, metrics: Collection[str]) -> Decided | None:
    """What the suite's own claims on these metrics come to; None where there is none."""
    claims = [
        row
        for row in results.verdicts
        if row.gate
        and (row.scenario, row.model, row.slice) == (scenario, model, "all")
        and row.metric in metrics
    ]
    failed = [row for row in claims if row.verdict is Ruling.FAIL]
    told = next(iter(worst_first(failed or claims)), None)
    return None if told is None else in_words(results, told)
