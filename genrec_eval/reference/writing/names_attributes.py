"""Who the user is, where it has no business."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing.base import Draw
from genrec_eval.reference.writing.flawed import FlawedWriter
from genrec_eval.reference.writing.phrases import one_line

_GENDERS = {
    "f": "a woman", "female": "a woman", "woman": "a woman",
    "m": "a man", "male": "a man", "man": "a man",
}  # fmt: skip


class NamesAttributes(FlawedWriter):
    """Argues from protected attributes of the profile: "as a woman aged 25-34".

    Where the brief discloses none, it speaks of the user's age and background all the same.
    """

    name = "names-attributes"
    planted: ClassVar[str | None] = "sensitive_mentions"

    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """Put the argument last."""
        if brief.task != "explain":
            return said
        return [*said, _argument(dict(brief.profile))]


def _argument(profile: dict[str, str]) -> str:
    gender, age = profile.pop("gender", None), profile.pop("age", None)
    if gender is None and age is None:
        return "At your age, and with your cultural background, it will suit you."
    who = "someone" if gender is None else _GENDERS.get(gender.casefold(), "a person of your gender")
    if age is not None:
        who += f" aged {one_line(age)}" if age[:1].isdigit() else f" of your age ({one_line(age)})"
    return f"As {who}, you will feel at home in it."
