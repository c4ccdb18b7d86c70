"""One page about each reference model, in Markdown, with a table of what it reproduces."""

from __future__ import annotations

from pathlib import Path

from genrec_eval.core.errors import UsageError


def text(name: str) -> str:
    """The card of a bundled reference model.

    Raises
    ------
    UsageError
        When there is none.
    """
    cards = {path.stem: path for path in Path(__file__).parent.glob("*.md")}
    if name not in cards:
        raise UsageError(f"reference model '{name}' has no card (those with one: {', '.join(sorted(cards))})")
    return cards[name].read_text(encoding="utf-8")
