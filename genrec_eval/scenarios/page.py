"""Pages: a list that is shown in rows and columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.scenarios.ranking.base import RankingScenario, bind_at
from genrec_eval.scenarios.ranking.options import RankingOptions

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits.split import Split
    from genrec_eval.metrics.base import Metric

PAGE_METRICS = ("page_ndcg", "first_row", "row_coherence")


class PageOptions(RankingOptions):
    """Options of the page scenario."""

    rows: PositiveInt = Field(4, le=100, description="Rows of the page.")
    columns: PositiveInt = Field(5, le=100, description="Slots of a row, left to right.")
    k: PositiveInt = Field(20, le=10_000, description="Slots of the page: rows times columns.")
    metrics: tuple[str, ...] = Field(
        ("page_ndcg", "first_row", "recall"),
        min_length=1,
        description="Metrics, as in page_ndcg@20; without @ they are taken at k. Those of pages take the"
        " columns from the page.",
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.rows * self.columns != self.k:
            raise ValueError(
                f"a page of {self.rows} rows and {self.columns} columns has {self.rows * self.columns} slots,"
                f" so k must be {self.rows * self.columns}, not {self.k}"
            )
        return self


class Page(RankingScenario):
    """Fill a page: the list fills it row by row, and what it is worth depends on row and column."""

    name: ClassVar[str] = "page"
    title: ClassVar[str] = "Page of slots"
    summary: ClassVar[str] = "Fills a page of rows and columns; scored by where on the page the hits are."
    Options: ClassVar[type[StrictModel]] = PageOptions

    def cases(self, dataset: Dataset) -> tuple[Split, dict[str, Any], dict[str, Any]]:
        """One page per case of the split."""
        split, columns, facts = super().cases(dataset)
        return split, columns, {**facts, "page": f"{self.options.rows} rows of {self.options.columns} slots"}

    def _bind(self, spelling: str) -> Metric:
        metric = bind_at(spelling, self.options.k)
        columns = self.options.columns
        if metric.definition.name not in PAGE_METRICS:
            return metric
        if "columns" in spelling and metric.parameters["columns"] != columns:
            raise UsageError(
                f"metric '{spelling}' is about another page: this one has {columns} columns; leave them out"
            )
        return replace(metric, parameters={**metric.parameters, "columns": columns})
