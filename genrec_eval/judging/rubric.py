"""Rubrics as YAML files: what a judge looks for, and what each score means."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from genrec_eval.core.content import content
from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.faults import FileError, explain
from genrec_eval.core.fingerprint import digest
from genrec_eval.core.strict import StrictModel
from genrec_eval.core.yaml import plain, read_file
from genrec_eval.judging.types import Rubric

_WHOLE = re.compile(r"-?[1-9][0-9]*|0")


class RubricFile(StrictModel):
    """The keys of a rubric file; see :class:`genrec_eval.judging.types.Rubric`."""

    name: str = Field(min_length=1, description="Name, equal to the file's name without .yaml.")
    title: str = Field(min_length=1, description="A few words for reports.")
    criterion: str = Field(min_length=1, description="One question in words.")
    scale: tuple[int, int] = Field((1, 5), description="Least and greatest score.")
    levels: dict[int, str] = Field(
        default_factory=dict, description="Score → what it means; all whole scores of the scale, or none."
    )
    reference: bool = Field(False, description="The judge is to be given a reference answer.")
    context: bool = Field(True, description="The judge is to be given the facts of the case.")
    direction: Literal["higher", "lower"] = "higher"

    @field_validator("title", "criterion")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return " ".join(text.split())  # prompts and rule-based judges rely on one line each

    @field_validator("scale")
    @classmethod
    def _rising(cls, scale: tuple[int, int]) -> tuple[int, int]:
        if not scale[0] < scale[1] <= scale[0] + 1000:
            raise ValueError(f"a scale is [least, greatest], as in [1, 5], not [{scale[0]}, {scale[1]}]")
        return scale

    @field_validator("levels", mode="before")
    @classmethod
    def _plainly(cls, levels: object) -> object:
        # 01 and +1 are 1 too, and one of two levels would be gone
        keys = list(levels) if isinstance(levels, dict) else []
        if strange := [one for one in keys if not _WHOLE.fullmatch(str(one))]:
            raise ValueError(f"a level is a whole number, not '{strange[0]}'")
        return levels

    @field_validator("levels")
    @classmethod
    def _complete(cls, levels: dict[int, str], info: ValidationInfo) -> dict[int, str]:
        if empty := [str(score) for score, text in levels.items() if not text.strip()]:
            raise ValueError(f"level {empty[0]} says nothing; write what the score means")
        if levels and "scale" in info.data:
            low, high = info.data["scale"]
            wanted = range(low, high + 1)
            if missing := [str(score) for score in wanted if score not in levels]:
                many = "levels" if len(missing) > 1 else "level"
                raise ValueError(
                    f"{many} {', '.join(missing)} missing: a scale from {low} to {high} needs the meaning"
                    " of every score in it, or no levels at all"
                )
            if strange := [str(score) for score in levels if score not in wanted]:
                raise ValueError(f"level {strange[0]} is outside the scale from {low} to {high}")
        return {score: " ".join(levels[score].split()) for score in sorted(levels)}


def rubrics() -> dict[str, Path]:
    """Shipped rubrics by name."""
    return {path.stem: path for path in sorted((content("judges") / "rubrics").glob("*.yaml"))}


def load_rubric(name: str, folder: Path) -> Rubric:
    """Read a shipped rubric by name, or a YAML file relative to ``folder`` (or absolute).

    Raises
    ------
    UsageError
        When there is none, or it is not a valid rubric; names file and line.
    """
    path = shipped_or_file("rubric", name, rubrics(), folder)
    root = read_file(path, str(path))
    if not isinstance(root.value, dict):
        raise UsageError(
            f"{path}: a rubric file is a mapping with the keys name, title, criterion, levels, ..."
        )
    try:
        found = RubricFile.model_validate(plain(root))
    except ValidationError as error:
        raise FileError(explain(error, root)) from None
    check_name("rubric", found.name, path)
    return Rubric(**found.model_dump())


def shipped_or_file(what: str, name: str, shipped: dict[str, Path], folder: Path) -> Path:
    """The file of a shipped name, or a file of the suite's author."""
    if name in shipped:
        return shipped[name]
    if not name.endswith((".yaml", ".yml")):
        raise UsageError(
            f"unknown {what} '{name}'{did_you_mean(name, shipped)}"
            f" (shipped: {', '.join(shipped)}; a file of your own ends in .yaml)"
        )
    return folder / name


def check_name(what: str, name: str, path: Path) -> None:
    """Refuse a file that is called otherwise than what it holds: results would name the wrong one."""
    if name != path.stem:
        raise UsageError(f"{path}: the {what} is named '{name}'; name it '{path.stem}', as the file is")


def digest_rubric(rubric: Rubric) -> str:
    """SHA-256 of all that a rubric says."""
    # JSON has no whole numbers as keys
    return digest({**asdict(rubric), "levels": {str(score): text for score, text in rubric.levels.items()}})
