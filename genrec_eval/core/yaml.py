"""YAML read safely and with positions: every value knows the file and line it came from.

Plain scalars are resolved by the YAML 1.2 core schema, as editors do: ``on``, ``yes`` and ``no`` are
text, ``1e3`` is a number. Nothing but mappings, lists, text, numbers, true/false and null can come out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from genrec_eval.core.errors import UsageError

MOST_BYTES = 5_000_000
MOST_NODES = 100_000
"""Values after aliases are expanded; stops alias bombs."""
DEEPEST = 64

_TAG = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place.

    Attributes
    ----------
    value
        ``dict[str, Node]``, ``list[Node]``, or a scalar.
    place
        ``"suites/my.yaml:14"``: the line of the key, or of the item in a list.
    raw
        A scalar as it was written; None elsewhere.
    size
        Values below and including this one, aliases expanded.
    """

    value: Any
    place: str
    raw: str | None = None
    size: int = 1


def plain(node: Node) -> Any:
    """Return the bare Python value: dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def read_file(path: Path, shown: str) -> Node:
    """Read a YAML file; ``shown`` is its name in messages.

    Raises
    ------
    UsageError
        When the file cannot be read or is not plain, safe YAML of one document.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{shown}: larger than {MOST_BYTES // 1_000_000} MB, which no file of ours is")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read: {error.strerror or error}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UsageError(f"{shown}:{line}: not UTF-8 text; save the file as UTF-8") from error
    return read_text(text, shown)


def read_text(text: str, shown: str, *, lines: bool = True) -> Node:
    """Read YAML text; with ``lines`` False every place is just ``shown``."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{shown}: not UTF-8 text") from error
    reader = _Reader(shown, lines)
    try:
        return reader.document(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        raise UsageError(_syntax(error, text, shown, lines)) from error


def _syntax(error: yaml.YAMLError, text: str, shown: str, lines: bool) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        code = ord(error.character) if isinstance(error.character, str) else error.character
        line = text.count("\n", 0, max(text.find(chr(code)), 0))
        where = f"{shown}:{line + 1}" if lines else shown
        return f"{where}: the character U+{code:04X} is not allowed in YAML"
    mark = getattr(error, "problem_mark", None)
    rows = text.rstrip("\n").split("\n")
    line = min(mark.line, len(rows) - 1) if mark else 0
    where = f"{shown}:{line + 1}" if lines else shown
    row = rows[line]
    if "\t" in row[: len(row) - len(row.lstrip())]:
        return f"{where}: a tab is used for indentation; YAML allows only spaces there"
    problem = getattr(error, "problem", None) or str(error)
    hint = ""
    if "mapping values are not allowed" in problem:
        hint = "; is a key indented too far, or does a text with ': ' lack its quotes?"
    elif "could not find expected ':'" in problem:
        hint = "; a key needs a colon after it"
    elif problem.startswith("did not find expected") and getattr(error, "context_mark", None):
        hint = f"; what began at line {error.context_mark.line + 1} does not end well"  # type: ignore[attr-defined]
    elif "cannot start any token" in problem and mark and mark.column < len(row):
        hint = f"; text that starts with '{row[mark.column]}' needs quotes"
    return f"{where}: not valid YAML: {problem}{hint}"


class _Reader:
    def __init__(self, shown: str, lines: bool) -> None:
        self.shown = shown
        self.lines = lines
        self.anchors: dict[str, Node | None] = {}  # None while its value is still being read

    def place(self, event: Any) -> str:
        return f"{self.shown}:{event.start_mark.line + 1}" if self.lines else self.shown

    def document(self, events: Iterator[Any]) -> Node:
        found: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if found is not None:
                    raise UsageError(f"{self.place(event)}: a second document starts; keep one per file")
                found = self.value(next(events), events, 0)
        return found if found is not None else Node(None, self.shown, "")

    def value(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        place = self.place(event)
        if depth > DEEPEST:
            raise UsageError(f"{place}: nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event.anchor, place)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = self.scalar(event, place)
        elif isinstance(event, yaml.SequenceStartEvent):
            self.check_tag(event, "seq", place)
            node = self.sequence(events, place, depth)
        else:
            self.check_tag(event, "map", place)
            node = self.mapping(events, place, depth)
        if node.size > MOST_NODES:
            raise UsageError(f"{place}: more than {MOST_NODES} values once aliases are expanded")
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, anchor: Any, place: str) -> Node:
        if anchor not in self.anchors:
            raise UsageError(f"{place}: alias '*{anchor}' refers to no anchor '&{anchor}' above it")
        node = self.anchors[anchor]
        if node is None:
            raise UsageError(f"{place}: alias '*{anchor}' refers to the value it is part of")
        return node

    def check_tag(self, event: Any, expected: str, place: str) -> None:
        if event.tag not in (None, "!", _TAG + expected):
            shown = event.tag.replace(_TAG, "!!")
            raise UsageError(f"{place}: the tag '{shown}' is not allowed; only plain YAML is read")

    def sequence(self, events: Iterator[Any], place: str, depth: int) -> Node:
        items: list[Node] = []
        size = 1
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            item = replace(self.value(event, events, depth + 1), place=self.place(event))
            items.append(item)
            size += item.size
        return Node(items, place, size=size)

    def mapping(self, events: Iterator[Any], place: str, depth: int) -> Node:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        size = 1
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key_place = self.place(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise UsageError(f"{key_place}: a key must be plain text, not a list, mapping or alias")
            if event.anchor is not None:
                self.anchors[event.anchor] = self.scalar(event, key_place)
            value = replace(self.value(next(events), events, depth + 1), place=key_place)
            size += value.size
            if event.value == "<<" and event.implicit[0]:
                merged = {**_merge_sources(value), **merged}
            elif event.value in own:
                first = own[event.value].place
                raise UsageError(f"{key_place}: the key '{event.value}' is there twice; first at {first}")
            else:
                own[event.value] = value
        return Node({**merged, **own}, place, size=size)

    def scalar(self, event: Any, place: str) -> Node:
        text: str = event.value
        if event.tag in ("!", _TAG + "str") or (event.tag is None and not event.implicit[0]):
            return Node(text, place, text)
        value = _resolve(text, place)
        kinds: dict[str, Any] = {"null": type(None), "bool": bool, "int": int, "float": (int, float)}
        kind = event.tag.removeprefix(_TAG) if event.tag else None
        if kind is not None and kind not in kinds:
            self.check_tag(event, "str", place)
        if kind is not None and not isinstance(value, kinds[kind]):
            raise UsageError(f"{place}: '{text}' is tagged !!{kind} but is not one")
        return Node(float(value) if kind == "float" else value, place, text)


def _merge_sources(node: Node) -> dict[str, Node]:
    sources = node.value if isinstance(node.value, list) else [node]
    found: dict[str, Node] = {}
    for source in reversed(sources):  # the first of a list wins
        if not isinstance(source.value, dict):
            raise UsageError(f"{node.place}: '<<' merges mappings only, as in '<<: *base'")
        found |= source.value
    return found


def _resolve(text: str, place: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        if len(text) > 40 or not -(2**63) <= (number := int(text, base)) < 2**63:
            raise UsageError(f"{place}: the number {text[:24]} is beyond 64 bits; as text it needs quotes")
        return number
    if _NOT_FINITE.fullmatch(text) or (_FLOAT.fullmatch(text) and not math.isfinite(float(text))):
        raise UsageError(f"{place}: {text[:24]} is not a finite number; as text it needs quotes")
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
