"""The options of the loader for exposure logs of experiments."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, PositiveFloat, field_validator, model_validator

from genrec_eval.core.strict import StrictModel
from genrec_eval.data.registry import DatasetSpec

if TYPE_CHECKING:
    from genrec_eval.data.experiments.exposures import Exposures

_SPELLABLE = re.compile(r"[^(),=@\s](?:[^(),=@]*[^(),=@\s])?")


class ExposureColumns(StrictModel):
    """Which column of the log holds what."""

    user: str = Field(default="user", description="User id: what was randomised.")
    arm: str = Field(default="arm", description="Arm that served the user.")
    day: str | None = Field(
        default=None, description="Date (YYYY-MM-DD) or number of the day; the column 'day' if there is one."
    )
    timestamp: str | None = Field(
        default=None,
        description="Unix seconds (or milli-, micro-, nanoseconds) or ISO 8601, in place of the day;"
        " 'timestamp' if there is one. Days are those of UTC.",
    )


class ExposureLogSpec(DatasetSpec):
    """The log of an A/B test, one row per exposure (or per user and day), from csv, parquet or JSON lines."""

    summary: ClassVar[str] = "the log of an A/B test: arm, user, day, outcomes; csv, tsv, parquet or jsonl"
    holds: ClassVar[str] = "exposures"

    path: str = Field(description="File of exposures; ${env:NAME} is allowed.")
    columns: ExposureColumns = ExposureColumns()
    outcomes: tuple[str, ...] = Field(
        ("outcome",), min_length=1, description="Columns of outcomes: numbers, added up per user."
    )
    before: dict[str, str] = Field(
        default_factory=dict,
        description="Outcome: column with the same from before the experiment, one value per user.",
    )
    groups: tuple[str, ...] = Field((), description="Columns by which results may be sliced.")
    shares: dict[str, PositiveFloat] | None = Field(
        None, description="Planned share of each arm, as in {A: 0.9, B: 0.1}; equal by default."
    )
    crossed: Literal["exclude", "first", "refuse"] = Field(
        "exclude",
        description="Users seen in several arms: leave them out and count them, count them in the arm that"
        " they saw first, or refuse the log.",
    )
    duplicates: Literal["drop", "keep", "refuse"] | None = Field(
        None,
        description="Rows that are equal throughout; by default dropped where the log has times of day, and"
        " kept where it has days alone.",
    )
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="Of text files; by the name's ending when not given."
    )
    encoding: str = Field("utf-8", description="Of text files.")
    time_unit: Literal["s", "ms", "us", "ns"] | None = Field(
        None, description="Of numeric timestamps; told from their size when not given."
    )
    label: str = Field("exposure log", description="Name of the data in reports.")
    licence: str | None = Field(None, description="For the report's provenance.")
    source: str | None = Field(None, description="Where the log comes from, for the report's provenance.")

    @field_validator("outcomes")
    @classmethod
    def _spellable(cls, outcomes: tuple[str, ...]) -> tuple[str, ...]:
        for name in outcomes:
            if not _SPELLABLE.fullmatch(name):
                raise ValueError(
                    f"'{name}' cannot be named in a metric such as effect(outcome={name}):"
                    " rename the column, without brackets, commas, '=' and '@'"
                )
        if len(set(outcomes)) < len(outcomes):
            raise ValueError("an outcome is named twice")
        return outcomes

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name in self.before:
            if name not in self.outcomes:
                raise ValueError(f"before: '{name}' is none of the outcomes ({', '.join(self.outcomes)})")
        if self.columns.day is not None and self.columns.timestamp is not None:
            raise ValueError("columns: name the day or the timestamp, not both")
        return self

    def load(self, folder: Path, seed: int) -> Exposures:
        """See :meth:`DatasetSpec.load`."""
        from genrec_eval.data.experiments.files import load_log

        return load_log(self, folder)
