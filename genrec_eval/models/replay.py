"""The ``replay`` adapter: recorded answers are a model.

==========  ===========================================================================================
format      one row or line
==========  ===========================================================================================
parquet     ``user``, ``items`` (list column), optional ``scores`` (list column); streamed.
            Or one row per item: ``user``, ``item``, optional ``rank`` and ``score``
csv, tsv    one row per item: ``user,item`` and optional ``rank`` and ``score``.
            Or one row per user: ``user,items``, optional ``scores``, split at ``separator``
jsonl       ``{"user": …, "items": […], "scores": […]}``
trec        ``user Q0 item rank score tag``, as TREC runs are written
==========  ===========================================================================================

Rows of one item each are put in order by rank where there is one, else by score, highest first,
else as they stand. TREC runs go by score, highest first. Equal scores go by rank, then as they
stand; trec_eval breaks them by document id instead.

A ``user`` may also be the id of a case, where a scenario asks several questions about a user: the
records of an earlier run, ``columns: {user: case}``, answer each question with its own list. Where a
scenario discloses attributes of a user, each way of asking needs a list of its own (``u1#gender.female``),
and a repeat is recorded as ``u1#neutral@1``: nothing else answers them.

For ``kinds: [chat]`` the file holds a ``text`` for each ``user``, or for each ``prompt``: the whole
text of the last message of the user.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.models.chat import ChatCapableSpec
from genrec_eval.models.spec import BuildContext
from genrec_eval.protocol.model import BatchModel, Model

Format = Literal["parquet", "csv", "tsv", "jsonl", "trec"]
Column = Literal["user", "items", "scores", "item", "rank", "score", "text", "prompt"]

SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".trec": "trec",
    ".run": "trec",
}


class ReplaySpec(ChatCapableSpec):
    """Recorded answers in a file."""

    adapter: Literal["replay"] = "replay"
    path: Path = Field(description="File of answers, relative to the suite.")
    format: Format | None = Field(None, description="Told by the file's suffix unless given.")
    columns: dict[Column, str] = Field(
        default_factory=dict, description="The file's own names: {user: uid, items: recs}."
    )
    separator: str = Field(" ", min_length=1, description="Between the items of one csv field.")
    kinds: tuple[Literal["rank", "chat"], ...] = Field(("rank",), min_length=1, max_length=1)

    @field_validator("kinds", mode="before")
    @classmethod
    def _one(cls, kinds: object) -> object:
        return (kinds,) if isinstance(kinds, str) else kinds

    def check(self, context: BuildContext) -> None:
        """Find the file, and tell its format by its name."""
        self._file(context)

    def build(self, context: BuildContext) -> Model | BatchModel:
        """Open the file and index its users."""
        path, form = self._file(context)
        if self.kinds == ("chat",):
            from genrec_eval.models.replay_chat import open_texts

            return open_texts(path, form, self)
        from genrec_eval.models.replay_lists import open_lists

        return open_lists(path, form, self)

    def _file(self, context: BuildContext) -> tuple[Path, Format]:
        path = context.folder / self.path
        if not path.is_file():
            near = did_you_mean(path.name, [p.name for p in path.parent.glob("*")])
            raise UsageError(f"no file of recorded answers at {path}{near}")
        form = self.format or SUFFIXES.get(path.suffix.lower())
        if form is None:
            raise UsageError(
                f"the format of {path} cannot be told by its suffix '{path.suffix}';"
                " add format: parquet, csv, tsv, jsonl or trec"
            )
        return path, form

    def name_of(self, column: Column) -> str:
        """What the file calls a column."""
        return self.columns.get(column, column)
