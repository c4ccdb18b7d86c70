"""Rules by which the bundled judge weighs a text: facts looked up, and what the words themselves show."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.explanations.checking import check
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.finding import ClaimVerdict, Finding
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.opinions import OpinionReader
from genrec_eval.metrics.explanations.reader import Reader
from genrec_eval.metrics.explanations.reviewed import aspects_of, reviewed_of
from genrec_eval.metrics.explanations.sensitive import attributes_in
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.protocol.brief import Brief

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_NAME = re.compile(r"[A-Z]\w+(?: (?:of |the |and )?[A-Z]\w+)+|\d[\d.,:]*\d|\d")
_SMALL = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "has", "have", "he", "her", "his",
    "i", "in", "is", "it", "its", "of", "on", "or", "she", "that", "the", "their", "they", "this", "to",
    "was", "were", "which", "who", "will", "with", "you", "your",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What was found in one text.

    Attributes
    ----------
    supported, wrong, unknown
        Claims that the facts bear out, that they speak against (a made-up past included), and of which they
        say nothing.
    own
        Claims on this user's history that hold.
    item
        Claims on the item that hold.
    aspects
        Aspects that the text speaks of, as a share of those that the reviews or the user speak of.
    repeated
        Share of the words that stand in a sentence that came before.
    filler, flattery, personal
        How many phrases say nothing; flatter or are superlatives; speak of a protected attribute.
    orders
        Whether it gives orders to a judge.
    """

    words: int
    sentences: int
    supported: int
    wrong: int
    unknown: int
    own: int
    item: int
    aspects: float
    repeated: float
    filler: int
    orders: bool
    flattery: int
    personal: int

    @property
    def truth(self) -> float:
        """Share of claims that hold, less that of those that are wrong; 0.75 where nothing is claimed."""
        claims = self.supported + self.wrong + self.unknown
        return max(0.0, (self.supported + 0.3 * self.unknown - self.wrong) / claims) if claims else 0.75

    @property
    def form(self) -> float:
        """1 for a text of some 15 to 120 words that neither repeats itself nor pads."""
        if not self.words:
            return 0.0
        length = min(1.0, self.words / 12, (120 / self.words) ** 0.5)
        padding = self.filler / max(self.sentences, 1)
        return max(0.0, length * (1 - self.repeated) - 0.5 * min(padding, 1.0))

    @property
    def fit(self) -> float:
        """How much of it is about this user."""
        return max(0.0, min(1.0, 0.15 + 0.35 * self.own + 0.1 * self.item + 0.2 * self.aspects))


def quality(rubric: str, marks: Marks) -> float:
    """A text by one rubric, from 0 to 1.

    Whatever the rubric: an empty text is worth nothing, and orders to the judge cost a level, for they are no
    part of an answer to a user.
    """
    if not marks.words:
        return 0.0
    rule = _RULES.get(rubric, _overall)
    return max(0.0, min(1.0, rule(marks) - 0.2 * marks.orders))


def _overall(marks: Marks) -> float:
    return 0.4 * marks.truth + 0.3 * marks.fit + 0.3 * marks.form - 0.1 * min(marks.flattery, 3)


def _faithful(marks: Marks) -> float:
    return marks.truth


def _personal(marks: Marks) -> float:
    return marks.fit - 0.25 * bool(marks.personal) - 0.25 * min(marks.wrong, 2)


def _fluent(marks: Marks) -> float:
    return marks.form


def _helpful(marks: Marks) -> float:
    return 0.35 * marks.truth + 0.35 * marks.fit + 0.3 * marks.form - 0.1 * min(marks.flattery, 3)


def _covering(marks: Marks) -> float:
    return 0.7 * marks.aspects + 0.3 * marks.truth


def _persuasive(marks: Marks) -> float:
    return 0.5 * marks.fit + 0.5 * marks.form - 0.15 * min(marks.flattery, 3)


_RULES: Mapping[str, Callable[[Marks], float]] = {
    "faithfulness": _faithful,
    "claim-support": _faithful,
    "personalisation": _personal,
    "relevance": _personal,
    "fluency": _fluent,
    "coherence": _fluent,
    "helpfulness": _helpful,
    "coverage": _covering,
    "persuasiveness": _persuasive,
    "transparency": _personal,
}


class Facts:
    """The facts of a case, ready for looking things up.

    Where the context shows a brief, claims are found and checked as the deterministic metrics do, the brief
    being the only source. Any other context is searched for the names and numbers of a text, and for what it
    praises and criticises.
    """

    def __init__(self, context: str) -> None:
        self.context = context.casefold()
        self._words = frozenset(_WORD.findall(self.context))
        self._text = context
        try:
            self.brief: Brief | None = Brief.read(context)
        except UsageError:
            self.brief = None
            self._reader, self._opinions = _plain_readers()
            return
        items = {seen.item.id: seen.item for seen in self.brief.history} | {
            self.brief.item.id: self.brief.item
        }
        self._reader = Reader(items.values(), self.brief.aspects)
        self._source = Source(self.brief, {}, self._reader.genres, True)
        self._opinions = OpinionReader(aspects_of(self.brief))

    def findings(self, text: str) -> list[Finding]:
        """Claims of a text and what the brief says of them; none where there is no brief."""
        return [] if self.brief is None else check(self._reader.read(text), self._source)

    def marks(self, text: str) -> Marks:
        """Weigh a text."""
        found = self.findings(text)
        verdicts = Counter(one.verdict for one in found)
        wrong = verdicts[ClaimVerdict.CONTRADICTED] + verdicts[ClaimVerdict.FABRICATED_HISTORY]
        unknown = verdicts[ClaimVerdict.NOT_IN_SOURCE]
        supported = verdicts[ClaimVerdict.SUPPORTED]
        if self.brief is None and self.context:
            known = [name.casefold() in self.context for name in _NAME.findall(text)]
            supported, unknown = sum(known), len(known) - sum(known)
        target = None if self.brief is None else self.brief.item.id
        held = [one for one in found if one.verdict is ClaimVerdict.SUPPORTED]
        words, sentences = _WORD.findall(text.casefold()), _sentences(text)
        style, lowered = lexicon("style"), text.casefold()
        return Marks(
            words=len(words),
            sentences=len(sentences),
            supported=supported,
            wrong=wrong,
            unknown=unknown,
            own=len({one.subject for one in held if one.subject not in (None, target)}),
            item=len({one.kind for one in held if one.subject == target}),
            aspects=self._aspects(words),
            repeated=_repeated(sentences),
            filler=sum(lowered.count(phrase) for phrase in style["filler"]),
            orders=gives_orders(text),
            flattery=sum(lowered.count(phrase) for phrase in (*style["flattery"], *style["superlatives"])),
            personal=len(attributes_in(text)),
        )

    def _aspects(self, words: list[str]) -> float:
        if self.brief is None:
            return 0.0
        spoken = {a.casefold() for review in self.brief.reviews for a in (*review.positive, *review.negative)}
        if self.brief.task == "explain":
            spoken = {a.casefold() for seen in self.brief.history for a in seen.liked}
        said = set(words)
        wanted = min(len(spoken), 2) if self.brief.task == "explain" else len(spoken)
        return min(1.0, sum(aspect in said for aspect in spoken) / wanted) if wanted else 0.0

    def claim(self, text: str) -> tuple[str, str]:
        """What the facts say of one claim, with a reason: supported, contradicted or not in source."""
        found = self.findings(text)
        for verdict, label in (
            (ClaimVerdict.CONTRADICTED, "contradicted"),
            (ClaimVerdict.FABRICATED_HISTORY, "contradicted"),
            (ClaimVerdict.NOT_IN_SOURCE, "not in source"),
        ):
            for one in found:
                if one.verdict is verdict:
                    return label, one.evidence or "it was looked up"
        if (opinion := self._opinion(text)) is not None:
            return opinion, "what it praises and criticises was looked up"
        if found:
            return "supported", found[0].evidence or "it was looked up"
        words = {word for word in _WORD.findall(text.casefold()) if word not in _SMALL}
        share = len(words & self._words) / len(words) if words else 0.0
        if share >= 0.6:
            return "supported", "most of its words stand in the facts"
        return "not in source", "its words do not stand in the facts"

    def _opinion(self, text: str) -> str | None:
        """What the reviews, or another context, hold of the aspects that a claim judges; None for none."""
        said = self._opinions.read(self._reader.read(text)).held
        if not said or not self._held:
            return None
        missing = said - self._held
        if not missing:
            return "supported"
        opposed = {(aspect, not glad) for aspect, glad in missing}
        return "contradicted" if opposed & self._held else "not in source"

    @cached_property
    def _held(self) -> frozenset[tuple[str, bool]]:
        if self.brief is None:
            return self._opinions.read(self._reader.read(self._text)).held
        return frozenset(reviewed_of(Explanations(texts=[None], briefs=[self.brief]))[0].counts)


@cache
def _plain_readers() -> tuple[Reader, OpinionReader]:
    """For a context that names no aspects of its own."""
    return Reader(()), OpinionReader(group[0] for group in lexicon("aspects"))


def _sentences(text: str) -> list[str]:
    return [" ".join(match[0].casefold().split()) for match in _SENTENCE.finditer(text) if match[0].strip()]


def _repeated(sentences: list[str]) -> float:
    total = sum(len(sentence) for sentence in sentences)
    return 1 - sum(len(sentence) for sentence in set(sentences)) / total if total else 0.0


@cache
def _orders() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{order})" for order in lexicon("style")["orders"]), re.I | re.M)


def gives_orders(text: str) -> bool:
    """Whether a text speaks to its judge, or gives orders to a language model."""
    return _orders().search(text) is not None
