"""Frameworks: rows of a law, a standard or a list of risks, and what of a run counts as evidence for each."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from genrec_eval.core.strict import StrictModel

EvidenceFact = Literal[
    "claims",
    "cost",
    "coverage",
    "data",
    "definitions",
    "deviations",
    "every-risk",
    "evidence-root",
    "examples",
    "groups",
    "independence",
    "intended-use",
    "intervals",
    "limits",
    "people",
    "personal-data",
    "planted",
    "population",
    "purpose",
    "repeats",
    "replay",
    "reviewed",
    "risks",
    "system",
]
"""What a report can show beside figures; :mod:`genrec_eval.reporting.contents.evidence` looks each up."""


class Need(StrictModel):
    """One piece of evidence; any of what it names will do."""

    what: str = Field(min_length=1, description="The evidence in words, as in `figures by group`.")
    scenarios: tuple[str, ...] = Field((), description="Kinds of scenario that give it.")
    metrics: tuple[str, ...] = Field((), description="Names of metrics that give it, as in ndcg.")
    facts: tuple[EvidenceFact, ...] = Field((), description="Parts of the report that give it.")


class FrameworkRow(StrictModel):
    """One row: an article, a subcategory, an area of risk."""

    id: str = Field(min_length=1, description="How the framework calls it, as in `Art. 27(2)`.")
    title: str = Field(min_length=1, description="Its title, short.")
    asks: str = Field(min_length=1, description="What it asks for, in words of one's own.")
    needs: tuple[Need, ...] = Field((), description="Evidence that a report can hold; all of it counts.")
    beyond: str | None = Field(
        None, min_length=1, description="What no run can show; such a row is never more than partly covered."
    )


class Framework(StrictModel):
    """A framework as an index of evidence: it says where to look, never that anything complies."""

    title: str = Field(min_length=1, description="Name of the framework.")
    version: str = Field(min_length=1, description="Which text was read, with its date.")
    source: str = Field(min_length=1, description="Where the text is found.")
    note: str | None = Field(None, description="Whom it concerns, and what a reader must know.")
    rows: tuple[FrameworkRow, ...] = Field(min_length=1, description="Its rows, in order.")

    @field_validator("rows")
    @classmethod
    def _once(cls, rows: tuple[FrameworkRow, ...]) -> tuple[FrameworkRow, ...]:
        seen: set[str] = set()
        for row in rows:
            if row.id in seen:
                raise ValueError(f"the row '{row.id}' is there twice")
            seen.add(row.id)
        return rows
