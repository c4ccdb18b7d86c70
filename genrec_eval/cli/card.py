"""``genrec-eval card``: one page about a reference model: what it is, what it costs, what it reproduces."""

from __future__ import annotations

from typing import Annotated

import typer

from genrec_eval.cli.console import output
from genrec_eval.core.errors import UsageError, did_you_mean


def card(name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a reference model.")]) -> None:
    """Show the card of a reference model: source, options, cost, and figures beside published ones."""
    from rich.markdown import Markdown

    from genrec_eval.reference.base import REFERENCE
    from genrec_eval.reference.cards import text

    if name not in REFERENCE.names():
        raise UsageError(
            f"unknown reference model '{name}'{did_you_mean(name, REFERENCE.names())}"
            f" (known: {', '.join(REFERENCE.names())})"
        )
    console, page = output(), text(name)
    # in a pipe the page itself is the better text: tables stay tables
    console.print(Markdown(page)) if console.is_terminal else typer.echo(page, nl=False)
