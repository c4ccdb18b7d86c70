"""What bundled writers share: a brief goes in, a text comes out, and chance hangs on the brief."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from genrec_eval.core.randomness import generator
from genrec_eval.protocol.brief import Brief
from genrec_eval.protocol.responses import ChatResponse
from genrec_eval.reference.chat import ReferenceChat

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written:
    """A text, with the passages it was written from where the writer looks some up."""

    text: str
    contexts: tuple[str, ...] | None = None


class Draw:
    """Choices that hang on (seed, purpose, brief, repeat)."""

    def __init__(self, seed: int, purpose: str, brief: Brief, repeat: int) -> None:
        digest = hashlib.sha256(brief.to_json().encode("utf-8", "replace")).hexdigest()
        self._random = generator(seed, purpose, digest, repeat)

    def pick(self, choices: Sequence[T]) -> T:
        """One of ``choices``."""
        return choices[self.number(len(choices))]

    def number(self, below: int) -> int:
        """A whole number from 0."""
        return int(self._random.integers(below))

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        """All of ``choices`` in another order."""
        return [choices[place] for place in self._random.permutation(len(choices)).tolist()]


class Writer(ReferenceChat):
    """Answers a message that shows a brief.

    Two messages that show one brief in other words get one text: the task is in the brief.
    """

    seeded: ClassVar[bool] = True

    def reply(self, text: str, repeat: int = 0) -> ChatResponse:
        """Read the brief, write."""
        written = self.write(Brief.read(text), repeat)
        return ChatResponse(text=written.text, finish_reason="stop", contexts=written.contexts)

    @abstractmethod
    def write(self, brief: Brief, repeat: int = 0) -> Written:
        """Do what the brief asks for."""

    def draw(self, brief: Brief, repeat: int, purpose: str = "writer") -> Draw:
        """The same choices for all writers: a flawed one differs from the sound one by its flaw alone."""
        return Draw(self.seed, purpose, brief, repeat)
