"""One text, whatever the case."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing.base import Writer, Written

TEXT = "This one is a good choice, and there is a lot in it that you may enjoy from beginning to end."


class ConstantText(Writer):
    """Gives every user the same text about every item."""

    name = "constant-text"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "usr"
    seeded: ClassVar[bool] = False

    def write(self, brief: Brief, repeat: int = 0) -> Written:
        """See :meth:`Writer.write`."""
        return Written(TEXT)
