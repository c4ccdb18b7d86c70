"""Lines of a terminal: never markup, ASCII where the terminal asks for it, no command of a CI service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec_eval.core.numbers import MINUS
from genrec_eval.reporting.text import visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_ASCII = str.maketrans(
    {"±": "~", MINUS: "-", "—": "-", "–": "-", "↑": "^", "↓": "v", "·": ",", "…": ".", "×": "x"}
    | {"✗": "x", "✓": "+", "▲": "!", "→": ">", "≠": "/"}
)


def say(console: Console, text: str, style: str = "", indent: int = 0) -> None:
    """Print a line."""
    from rich.padding import Padding

    shown = styled(console, text, style)
    console.print(Padding(shown, (0, 0, 0, indent), expand=False) if indent else shown)


def styled(console: Console, text: str, style: str) -> Text:
    """Text in a style, as this console can show it."""
    from rich.text import Text

    # Text, never markup: names and reasons come from strangers.
    return Text(plain(console, text), style=style)


def plain(console: Console, text: str) -> str:
    """Text as this console can show it."""
    text = harmless(console, text)
    if not console.options.ascii_only:
        return text
    return text.replace("±", "+/-").translate(_ASCII).encode("ascii", "replace").decode()


def harmless(console: Console, text: str) -> str:
    """Text without what would command a terminal, or the service that reads the log of a job."""
    if not console.is_terminal:
        # A line of a log that begins with '::' or holds '##[' is a command to the runner of GitHub or Azure.
        text = text.replace("::", ": :").replace("##[", "# #[").replace("##vso[", "# #vso[")
    return visible(text)
