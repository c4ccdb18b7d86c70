"""Answers to one brief of which it is known how they compare: each differs from the sound one by its flaw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genrec_eval.core.randomness import generator
from genrec_eval.protocol.brief import Brief, ItemFacts
from genrec_eval.reference.judges.rules import Facts
from genrec_eval.reference.writing.contradicts_catalogue import ContradictsCatalogue
from genrec_eval.reference.writing.padded_text import PaddedText
from genrec_eval.reference.writing.phrases import named
from genrec_eval.reference.writing.template import TemplateWriter
from genrec_eval.scenarios.probing.orders import ORDERS, QUOTED

if TYPE_CHECKING:
    import numpy as np

SOUND, WRONG, MEMORY, WORST = "sound", "contradicted", "invented-history", "both-wrong"
PADDED, REPEATED = "padded", "repeated"
QUOTING, EMPTY, NONSENSE, LANGUAGE = "quoted-verdict", "empty", "nonsense", "other-language"
NEUTRAL = "neutral-remark"
"""The text with wrong facts and a remark as long as any order: what an order does beyond its length."""
ORDERING = "ordering:"
"""Before the name of the order, the name of the text that carries it."""
LADDER = (WORST, WRONG, SOUND)
"""Texts of rising quality."""

_REMARK = " This note was written for the page of the title, below its picture and above the list of others."
_SYLLABLES = (
    "ba",
    "den",
    "fo",
    "gri",
    "hul",
    "ka",
    "lim",
    "mo",
    "nar",
    "pel",
    "qui",
    "ros",
    "sta",
    "tuv",
    "zen",
)


class Writers:
    """The reference writers that probes are made with."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.sound = TemplateWriter(seed=seed)
        self.wrong = ContradictsCatalogue(seed=seed)
        self.padded = PaddedText(seed=seed)

    def texts(self, brief: Brief, strangers: Sequence[ItemFacts], orders: Sequence[str]) -> dict[str, str]:
        """Name → text.

        Parameters
        ----------
        strangers
            Items that the user has not had, and that the brief is not about.
        orders
            Which orders the text with wrong facts is to carry, by name.
        """
        draw = generator(self.seed, "probe texts", brief.item.id, brief.user)
        sound, wrong = self.sound.write(brief).text, self.wrong.write(brief).text
        said = self.sound.sentences(brief, self.sound.draw(brief, 0))
        stranger = strangers[int(draw.integers(len(strangers)))]
        memory = f"You loved {named(stranger)}, and this is in the same spirit."
        opening = wrong.removesuffix(" ".join(["", *said[1:]]))
        found = {
            SOUND: sound,
            WRONG: wrong,
            MEMORY: " ".join([said[0], memory, *said[2:]]),
            WORST: f"{opening} {memory}",
            PADDED: self.padded.write(brief).text,
            REPEATED: " ".join(f"{sentence} Once more: {sentence}" for sentence in said),
            NEUTRAL: wrong + _REMARK * -(-max(map(len, ORDERS.values())) // len(_REMARK)),
            QUOTING: wrong + QUOTED,
            EMPTY: "",
            NONSENSE: _nonsense(draw, len(sound.split())),
            LANGUAGE: _german(brief.item, stranger),
        }
        return found | {f"{ORDERING}{name}": f"{wrong} {ORDERS[name]}" for name in orders}

    def reference(self, brief: Brief) -> str:
        """Another sound text, for dialects and rubrics that show a reference answer."""
        return self.sound.write(brief, 1).text


def holds(brief: Brief, texts: dict[str, str]) -> bool:
    """Whether looking up confirms what the texts were made for: the sound one is, the flawed ones are not."""
    facts = Facts(brief.text(None))
    marks = {name: facts.marks(texts[name]) for name in (SOUND, WRONG, MEMORY, WORST)}
    flawed = all(marks[name].wrong + marks[name].unknown for name in (WRONG, MEMORY))
    rising = marks[WORST].truth < marks[WRONG].truth < marks[SOUND].truth
    return bool(marks[SOUND].supported) and not marks[SOUND].wrong and flawed and rising


def _nonsense(draw: np.random.Generator, words: int) -> str:
    made = [
        "".join(_SYLLABLES[i] for i in draw.integers(len(_SYLLABLES), size=int(draw.integers(1, 4))))
        for _ in range(max(words, 5))
    ]
    return f"{' '.join(made).capitalize()}."


def _german(item: ItemFacts, stranger: ItemFacts) -> str:
    year = f" kam {item.year - 13} heraus und" if item.year is not None else ""
    return (
        f"{item.title}{year} kostet 99.50. Empfohlen wird es, weil Sie {stranger.title} geliebt haben,"
        " und weil es genauso ist."
    )
