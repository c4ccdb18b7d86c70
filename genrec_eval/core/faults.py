"""Faults in plain sentences, each with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import ValidationError

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.yaml import Node

_LONGEST = 60


class FileError(UsageError):
    """Everything that is wrong with a file that a person wrote, one line each.

    Attributes
    ----------
    lines
        ``"suites/my.yaml:14: models.gpt.temprature: unknown key ..."``
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = sorted(dict.fromkeys(lines), key=_position)
        many = f"{len(self.lines)} faults:\n" if len(self.lines) > 1 else ""
        super().__init__(many + "\n".join(self.lines))


def _position(said: str) -> tuple[str, int]:
    match = re.match(r"(.*?):(\d+): ", said)
    return (match[1], int(match[2])) if match else ("", 0)


def line(root: Node, path: tuple[str | int, ...], message: str) -> str:
    """``"suites/my.yaml:14: models.gpt: message"``."""
    node, _ = descend(root, path)
    dotted = ".".join(map(str, path))
    # A suite from Python has places that are paths already.
    inside = "" if node.place.startswith("suite[") or not dotted else f"{dotted}: "
    return f"{node.place}: {inside}{message}"


def descend(root: Node, path: Iterable[str | int]) -> tuple[Node, tuple[str | int, ...]]:
    """Follow ``path`` as far as the document goes; parts that are not in it are skipped."""
    node, known = root, []
    for part in path:
        value = node.value
        if isinstance(value, dict) and part in value:
            node = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
            node = value[part]
        else:
            continue  # pydantic's own marks, such as the branch of a union
        known.append(part)
    return node, tuple(known)


def explain(error: ValidationError, root: Node) -> list[str]:
    """Rewrite pydantic's errors, one line per place of the document."""
    grouped: dict[tuple[str | int, ...], list[str]] = {}
    missing: dict[tuple[str | int, ...], list[str]] = {}
    for fault in error.errors(include_url=False):
        node, path = descend(root, fault["loc"])
        if fault["type"] == "missing":
            missing.setdefault(path, []).append(f"'{_absent(fault['loc'], path)}'")
        elif fault["type"] == "too_short" and any(_below(path, other) for other in grouped):
            continue  # entries were refused, and then too few were left
        elif (message := sentence(fault, node)) not in grouped.setdefault(path, []):
            grouped[path].append(message)
    lines = [line(root, path, "; or ".join(said)) for path, said in grouped.items()]
    for path, keys in missing.items():
        lines.append(line(root, path, f"missing key{'s' if len(keys) > 1 else ''} {', '.join(keys)}"))
    return lines


def _absent(loc: tuple[int | str, ...], path: tuple[str | int, ...]) -> str:
    """The missing key, after the mappings that should hold it and are missing as well."""
    rest = list(path)
    tail: list[str] = []
    for part in loc:
        if rest and part == rest[0]:
            del rest[0]
        elif not rest and re.fullmatch(r"[\w-]+", str(part)):
            tail.append(str(part))
    return ".".join(tail)


def _below(path: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    return len(other) > len(path) and other[: len(path)] == path


def sentence(fault: Any, node: Node) -> str:
    """One fault of pydantic in words a suite author knows."""
    kind, given, context = fault["type"], fault["input"], fault.get("ctx") or {}
    if kind in _NEEDS:
        return f"needs {_NEEDS[kind]}, not {shown(given)}{_quotes(kind, given, node)}"
    if kind in _BOUNDS:
        sign, key = _BOUNDS[kind]
        bound = context[key]
        return f"must be {sign} {f'{bound:g}' if isinstance(bound, float) else bound}, not {shown(given)}"
    if kind in _SAY:
        return _SAY[kind](fault, context)
    return str(fault["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")


def shown(value: Any) -> str:
    """A value as a suite author would write it, shortened."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]}…'"


def _quotes(kind: str, given: Any, node: Node) -> str:
    if kind != "string_type" or not isinstance(given, bool | int | float) or node.raw is None:
        return ""
    what = "true or false" if isinstance(given, bool) else "a number"
    return f', which YAML reads as {what}; write "{node.raw}" in quotes'


_NEEDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list, as in [a, b]",
    "tuple_type": "a list, as in [a, b]",
    "set_type": "a list, as in [a, b]",
    "frozen_set_type": "a list, as in [a, b]",
    "iterable_type": "a list, as in [a, b]",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dataclass_type": "a mapping of keys to values",
    "path_type": "a path",
    "none_required": "nothing",
    "finite_number": "a finite number",
    "callable_type": "a Python function",
    "url_parsing": "an address such as http://localhost:8000",
    "url_type": "an address such as http://localhost:8000",
}
_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
    "multiple_of": ("a multiple of", "multiple_of"),
}


def _choice(fault: Any, context: dict[str, Any]) -> str:
    expected, given = str(context["expected"]), fault["input"]
    known = re.findall(r"'([^']*)'", expected)
    hint = did_you_mean(given, known) if isinstance(given, str) else ""
    return (
        f"is one of {expected}, not {shown(given)}{hint}"
        if len(known) != 1
        else (f"must be {expected}, not {shown(given)}{hint}")
    )


def _length(fault: Any, context: dict[str, Any]) -> str:
    n = context.get("min_length", context.get("max_length"))
    bound = "least" if "min_length" in context else "most"
    what = ("character", "characters") if fault["type"].startswith("string") else ("entry", "entries")
    return f"needs at {bound} {n} {what[n != 1]}"


_SAY: dict[str, Callable[[Any, dict[str, Any]], str]] = {
    "literal_error": _choice,
    "enum": _choice,
    "extra_forbidden": lambda fault, context: f"unknown key '{fault['loc'][-1]}'",
    "string_pattern_mismatch": lambda fault, context: (
        f"{shown(fault['input'])} does not match the pattern {context['pattern']}"
    ),
    "string_too_short": _length,
    "string_too_long": _length,
    "too_short": _length,
    "too_long": _length,
}
