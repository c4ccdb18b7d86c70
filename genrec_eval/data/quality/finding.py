"""What an audit of the data found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["ok", "note", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked for.

    Attributes
    ----------
    name
        Such as ``target-in-training``.
    count, of, share
        How many were found, among how many.
    severity
        ``ok``: none found. ``note``: found, and the method of the split makes no promise against it.
        ``warning``: found where it should not be.
    sentence
        What was found, for a reader.
    examples
        Up to three.
    """

    name: str
    count: int
    of: int
    severity: Severity
    sentence: str
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """``count`` of ``of``; 0 of nothing is 0."""
        return self.count / self.of if self.of else 0.0

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, ``share`` included."""
        return {**asdict(self), "share": self.share, "examples": list(self.examples)}


def looked_for(
    name: str,
    count: int,
    of: int,
    severity: Severity,
    found: str,
    clear: str,
    examples: tuple[str, ...] = (),
) -> Finding:
    """The finding: ``found`` with its severity where there is any, else ``clear`` and ``ok``.

    >>> looked_for("gap", 0, 9, "warning", "There are gaps.", "There is no gap.").severity
    'ok'
    """
    if not count:
        return Finding(name=name, count=0, of=of, severity="ok", sentence=clear)
    return Finding(name=name, count=count, of=of, severity=severity, sentence=found, examples=examples)
