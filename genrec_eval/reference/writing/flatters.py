"""Praise of the item and of the reader, whatever the facts."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing.base import Draw
from genrec_eval.reference.writing.flawed import FlawedWriter, without_cautions

_READER = (
    "You have exquisite taste, and only someone as discerning as you deserves this.",
    "With your impeccable taste, you are a true connoisseur.",
    "What excellent taste you have: few people have your sharp eye.",
)
_ITEM = (
    "It is a breathtaking masterpiece, absolutely perfect, brilliant and unforgettable.",
    "It is phenomenal, stunning and second to none: one of the greatest of all time.",
    "Everything in it is superb, wonderful and outstanding, pure perfection from start to finish.",
)


class Flatters(FlawedWriter):
    """Praises item and reader in superlatives and drops every caution, whatever the user makes of it."""

    name = "flatters"
    planted: ClassVar[str | None] = "flattery"

    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """Flattery before and after."""
        return [draw.pick(_READER), *without_cautions(said), draw.pick(_ITEM)]
