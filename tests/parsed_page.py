"""A page as its reader gets it, for tests of every page; and text that would like to be more than text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "link", "img", "input", "hr", "wbr", "base"}

HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} | `code` **b** "
    "[l](javascript:alert(1)) \u202egnp.exe \x00\x08\x1b[31m \ufffe \ud800 ]]> &amp; "
    "\n::error::pwned\r\n##[command]x\n=HYPERLINK(1)\n% @team"
)


class Page(HTMLParser):
    """Text, tags and nesting of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.headings: list[int] = []
        self.inside: dict[str, list[str]] = {"ins": [], "del": []}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] in {"style", "script"}:
            return
        self.text.append(data)
        for tag in self.inside:
            if tag in self.open:
                self.inside[tag].append(data.strip())

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())
