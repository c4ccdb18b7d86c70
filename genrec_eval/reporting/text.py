"""Text from strangers: whatever could hide or reorder what is read becomes visible."""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and line feed
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # bidi, invisible
    "\ufffe\uffff"  # no characters at all, which XML forbids
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tags
)


def visible(text: object) -> str:
    """Write control, bidirectional and invisible characters as their code point.

    >>> visible("safe" + chr(0x202E) + "txt")
    'safe⟨U+202E⟩txt'
    """
    return _HIDDEN.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", str(text).replace("\r\n", "\n"))


def line(text: object, limit: int = 300) -> str:
    """One line of visible text of at most ``limit`` characters.

    >>> line("two\\nlines")
    'two lines'
    """
    flat = visible(" ".join(str(text)[: 4 * limit].split()))
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def block(text: object, limit: int = 4000) -> str:
    """Text with its line breaks, cut after ``limit`` characters, and saying so."""
    whole = str(text)
    rest = len(whole) - limit
    return visible(whole[:limit]) + (f"\n… {rest:,} more characters" if rest > 0 else "")


def plural(number: int, one: str, many: str | None = None) -> str:
    """``"1 claim"``, ``"2 claims"``.

    >>> plural(1, "claim"), plural(1200, "claim")
    ('1 claim', '1,200 claims')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listing(words: list[str]) -> str:
    """``"a, b and c"``; semicolons part what holds commas.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    >>> listing(["a", "b, by c", "d"])
    'a; b, by c and d'
    """
    parted = "; " if len(words) > 2 and any(", " in word for word in words) else ", "
    return " and ".join([parted.join(words[:-1]), words[-1]] if len(words) > 1 else words)
