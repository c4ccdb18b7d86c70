"""A past that the user does not have."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.core.errors import UsageError
from genrec_eval.data.tables.titles import split_year
from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing.base import Draw
from genrec_eval.reference.writing.flawed import FlawedWriter
from genrec_eval.reference.writing.phrases import one_line


class InventsHistory(FlawedWriter):
    """Says that the user loved something that is not in the history.

    The title is one of the catalogue, drawn among those that the brief does not hold.
    """

    name = "invents-history"
    planted: ClassVar[str | None] = "fabricated_history"
    learns: ClassVar[bool] = True

    def fit(self) -> None:
        """Read the titles of the catalogue.

        Raises
        ------
        UsageError
            When the items have no titles.
        """
        assert self.training is not None
        table = self.training.item_table
        if "title" not in table.column_names:
            raise UsageError(
                f"reference model '{self.name}' cites titles, but the items of '{self.training.dataset}' have"
                " no column 'title'"
            )
        years = table["year"].to_pylist() if "year" in table.column_names else [None] * len(table)
        self.titles: list[tuple[str, str]] = []
        for title, year in zip(table["title"].to_pylist(), years, strict=True):
            if title:
                name, written = split_year(one_line(title))
                when = written if year is None else int(year)
                self.titles.append((name, name if when is None else f"{name} ({when})"))

    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """Put a false memory in second place, where the true one stands."""
        known = {one_line(item.title) for item in (brief.item, *(seen.item for seen in brief.history))}
        strange = [shown for name, shown in self.titles if name not in known]
        if not strange:
            return said
        title = draw.pick(strange)
        memory = draw.pick(
            [
                f"You loved {title}, and this is in the same spirit.",
                f"It is suggested because you enjoyed {title} so much.",
                f"After you watched {title} and liked it, this is the next step.",
            ]
        )
        return [said[0], memory, *said[2:]] if brief.task == "explain" else [*said, memory]
