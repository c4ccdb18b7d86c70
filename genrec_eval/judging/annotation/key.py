"""The key of annotation sheets: which opaque id stands for what; it stays with the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import UsageError
from genrec_eval.judging.annotation.sheets import Sheets, described
from genrec_eval.judging.policy import Judging
from genrec_eval.judging.question import rubric_from_json
from genrec_eval.judging.types import Rubric

FOLDER = "annotations"
KEY_FILE = "KEY.json"
SCHEMA = "genrec-eval/annotation-key/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """What one id stands for.

    Attributes
    ----------
    annotator
        None for identical texts, which nobody was asked about.
    digest
        Of what was shown.
    """

    id: str
    annotator: str | None
    case: str
    unit: str
    repeat: int
    step: int
    writers: tuple[str, ...]
    lengths: tuple[int | None, ...]
    order: str | None
    claims: tuple[str, ...]
    digest: str

    @property
    def place(self) -> tuple[str, int, int, tuple[str, ...]]:
        """Case, repeat, step and writers: what the digest is of."""
        return self.case, self.repeat, self.step, self.writers


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySheet:
    """One export as the key keeps it.

    Attributes
    ----------
    columns
        Of the csv sheets that hold what was shown.
    """

    id: str
    scenario: str
    judging: Judging
    rubric: Rubric
    cases: int
    shared: int
    columns: tuple[str, ...]
    items: Mapping[str, Keyed]
    identical: Mapping[str, Keyed]

    @property
    def annotators(self) -> list[str]:
        """Who was asked, in the order of the export."""
        return list(dict.fromkeys(item.annotator for item in self.items.values() if item.annotator))


@dataclass(slots=True)
class Key:
    """All exports of a run, by the id of the sheet."""

    path: Path
    raw: dict[str, Any] = field(default_factory=lambda: {"schema": SCHEMA, "sheets": {}})

    @classmethod
    def read(cls, run: Path) -> Key:
        """The key of a run; empty when nothing was exported.

        Raises
        ------
        UsageError
            When the file is broken or of another version.
        """
        path = run / FOLDER / KEY_FILE
        if not path.is_file():
            return cls(path)
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path} cannot be read ({error}); without it annotations have no meaning"
            ) from None
        if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
            raise UsageError(f"{path} is no key of annotations that this version reads ('{SCHEMA}')")
        return cls(path, raw)

    def add(self, sheets: Sheets) -> None:
        """Take in an export.

        Raises
        ------
        UsageError
            When the run has annotations by another rubric of the same name.
        """
        made = json.loads(json.dumps(described(sheets)))
        for id_, known in self.raw["sheets"].items():
            if known["rubric"]["name"] == made["rubric"]["name"] and known["rubric"] != made["rubric"]:
                raise UsageError(
                    f"rubric '{made['rubric']['name']}' has changed since sheet {id_} was exported, and"
                    " figures of both would bear one name; rename the rubric"
                )
        self.raw["sheets"][sheets.id] = made

    @property
    def ids(self) -> list[str]:
        """Ids of the exports, oldest first."""
        return list(self.raw["sheets"])

    def sheet(self, id_: str) -> KeySheet:
        """One export.

        Raises
        ------
        UsageError
            When the key was damaged.
        """
        raw = self.raw["sheets"][id_]
        try:
            return KeySheet(
                id=id_,
                scenario=raw["scenario"],
                judging=Judging(
                    judge="human", rubric=raw["rubric"]["name"], task=raw["task"], against=raw["against"]
                ),
                rubric=rubric_from_json(raw["rubric"]),
                cases=raw["cases"],
                shared=raw["shared"],
                columns=tuple(raw["columns"]),
                items={
                    item: _keyed(item, name, one)
                    for name, items in raw["annotators"].items()
                    for item, one in items.items()
                },
                identical={item: _keyed(item, None, one) for item, one in raw["identical"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(
                f"{self.path}: sheet {id_} is damaged ({type(error).__name__}: {error})"
            ) from None


def _keyed(id_: str, annotator: str | None, raw: Mapping[str, Any]) -> Keyed:
    return Keyed(
        id=id_,
        annotator=annotator,
        case=raw["case"],
        unit=raw["unit"],
        repeat=int(raw["repeat"]),
        step=int(raw["step"]),
        writers=tuple(raw["writers"]),
        lengths=tuple(raw["lengths"]),
        order=raw["order"],
        claims=tuple(raw["claims"]),
        digest=raw["digest"],
    )
