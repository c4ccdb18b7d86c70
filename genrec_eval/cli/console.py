"""Where commands print: rich on a terminal, plain text of full width in a pipe or a CI log."""

from __future__ import annotations

import sys
from io import StringIO
from typing import TextIO

from rich.console import Console

from genrec_eval.core.secrets import scrub
from genrec_eval.reporting.console import harmless

WIDE = 200
"""Columns when there is no terminal to ask."""


def output() -> Console:
    """Console on standard output."""
    return _console(sys.stdout)


def errors() -> Console:
    """Console on standard error."""
    return _console(sys.stderr)


def say(text: str) -> None:
    """Print a line to standard output: no secret, no markup, no command to a terminal, no line broken."""
    console = output()
    console.print(harmless(console, scrub(text)), markup=False, highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """Print an error to standard error, as :func:`say` prints a line."""
    console = errors()
    text = harmless(console, scrub(text))
    if text.startswith("error: "):
        console.print("[bold red]error[/]: ", end="")
        text = text.removeprefix("error: ")
    console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Rich would end with 1, which says that a rule is broken."""
        raise


def _console(stream: TextIO | None) -> Console:
    if stream is None:  # closed by who called
        return _Console(file=StringIO(), width=WIDE)
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")  # a title in a C locale must not end in a traceback
    if stream.isatty():
        return _Console(file=stream)
    return _Console(file=stream, width=WIDE, no_color=True, force_terminal=False, highlight=False)
