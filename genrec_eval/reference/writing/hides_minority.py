"""Praise alone, where reviews hold both."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing.base import Draw
from genrec_eval.reference.writing.flawed import FlawedWriter, without_cautions
from genrec_eval.reference.writing.phrases import named


class HidesMinority(FlawedWriter):
    """Leaves out what speaks against the item: the view of a minority, and that of a critical majority."""

    name = "hides-minority"
    planted: ClassVar[str | None] = "minority_recall"

    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """What praises."""
        return without_cautions(said) or [f"Reviewers of {named(brief.item)} are pleased with it."]
