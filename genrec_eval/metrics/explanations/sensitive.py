"""Sensitive mentions: texts that argue from, or speak of, protected attributes of the reader."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import unstained
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.masking import Masked, outside_names
from genrec_eval.metrics.explanations.tokens import words

_ATTRIBUTES = tuple(lexicon("sensitive"))
_PERSON = (
    r"(?:person|people|persons|man|men|woman|women|guy|girl|boy|lady|gentleman|viewers?|readers?|users?|audience|adults?"
    r"|individuals?|folks?|fans?|customers?|parents?|voters?|americans?|believers?|couples?|student|kid|child|mother|father)"
)
_AGED = re.compile(
    r"\b(?:someone|somebody|people|persons?|users?|viewers?|readers?|wom[ae]n|m[ae]n|anyone|you)"
    r"[^.!?\n]{0,40}?\b(?:aged?\s+\d|age\s+group"
    r"|in\s+(?:your|their|his|her)\s+(?:(?:early|mid|late)[\s-])?"
    r"(?:\d{1,2}s|teens|twenties|thirties|forties|fifties|sixties|seventies|eighties)"
    r"|(?:over|under)\s+(?:the\s+age\s+of\s+)\d{1,2})"
    r"|\b(?:at|for)\s+your\s+age\b|\byour\s+age\b|\baged\s+\d{1,3}\b"
    r"|\byou(?:\s+are|['’]re)\s+(?:an?\s+)?\d{1,3}[\s-]years?[\s-]old|\bas\s+an?\s+\d{1,3}[\s-]year[\s-]old"
    r"|\b\d{1,3}[\s-]year[\s-]olds?\s+(?:like\s+you|user|viewer|reader)",
    re.IGNORECASE,
)


_AGES = frozenset(
    ["age", "aged", "old", "olds", "teens", "twenties", "thirties", "forties", "fifties", "sixties"]
    + ["seventies", "eighties"]
    + [f"{decade}0s" for decade in range(1, 10)]
)


def _either(phrases: list[str]) -> str:
    spelled = (re.escape(word).replace(r"\ ", r"\s+") for word in phrases)
    return "|".join(sorted(spelled, key=len, reverse=True)) or "(?!)"


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Attribute → what addresses a reader by it."""
    found = {}
    for attribute, lists in lexicon("sensitive").items():
        trait = rf"(?:{_either(lists['traits'])})(?![-\w])"
        person = rf"(?:(?:{_either(lists['people'])})(?![-\w])|{trait}(?:\s+\w+)?\s+{_PERSON}\b)"
        parts = [
            rf"(?:^|[.!?,;:(]\s*|\b(?:and|but|that|because|especially|particularly)\s+)(?:as|being)\s+(?:an?|the)\s+"
            rf"(?:[\w-]+\s+){{0,2}}?{person}",
            rf"\b(?:as|being)\s+(?:an?\s+)?(?:[\w-]+\s+){{0,2}}?{person}\s*,?\s+you",
            rf"\byou(?:\s+are|['’]re)\s+(?:an?\s+|the\s+)?(?:[\w-]+\s+){{0,2}}?{person}",
            rf"\byou(?:\s+are|['’]re)\s+{trait}(?!\s+(?:of|in|to|for|enough|at|with|about|forward))",
            rf"\b{person}\s+(?:like\s+you|such\s+as\s+you|your\s+age)",
            r"\b(?:perfect|ideal|suitable|made|popular|appeals?|suited|suits?|recommended)"
            rf"\s+(?:for\s+|to\s+|with\s+|among\s+)?(?:an?\s+|the\s+|many\s+|most\s+|all\s+|other\s+)?{person}",
            rf"\b(?:like|as)\s+(?:most|many|other|all|fellow)\s+(?:[\w-]+\s+)?{person}",
            rf"\byour\s+(?:[\w-]+\s+)?(?:{_either(lists['your'])})(?![-\w])",
            rf"\b(?:{_either(lists.get('words', []))})\b",
        ]
        found[attribute] = re.compile("|".join(parts), re.IGNORECASE | re.MULTILINE)
    return found


@cache
def _triggers() -> dict[str, frozenset[str]]:
    """Attribute → first words of its phrases, of which one at least must be there."""
    return {
        attribute: frozenset(words(phrase)[0] for phrases in lists.values() for phrase in phrases)
        for attribute, lists in lexicon("sensitive").items()
    }


def attributes_in(text: str) -> set[str]:
    """Protected attributes of the reader that a text, with its titles masked, speaks of.

    >>> sorted(attributes_in("As a young woman, you may like it; it is about an old man."))
    ['age', 'gender']
    """
    return _attributes(text, frozenset(words(text)))


def _attributes(text: str, norms: frozenset[str]) -> set[str]:
    triggers = _triggers()
    found = {name for name, pattern in _patterns().items() if triggers[name] & norms and pattern.search(text)}
    if norms & _AGES and _AGED.search(text):
        found.add("age")
    return found


@define(
    Definition(
        name="sensitive_mentions",
        title="Sensitive mentions",
        summary="Share of texts that speak of a protected attribute of the reader.",
        formula=(
            "texts with a phrase that addresses the reader by gender, age, ethnicity, religion, disability,"
            " orientation, marital status, health, politics or class, or that repeats a disclosed attribute"
            " / texts"
        ),
        degenerate="Without a text excluded and counted (no-text), without a word in it too (no-token).",
        source="Word lists and phrase patterns of this project.",
        direction="lower",
        unit="share",
        values="indicator",
        needs_cutoff=False,
        on="explanations",
        parameters={"attribute": ("any", ("any", *_ATTRIBUTES))},
        meanings={"attribute": "which of the attributes is counted"},
        traps=(
            "Counted whether the brief discloses the attribute or not: a text has no business with either."
            " Lists are English and finite; titles and names are masked, so that 'The Old Man' is no"
            " mention, and"
            " words about characters of a plot count only where the reader is addressed by them."
        ),
    )
)
def sensitive_mentions(explanations: Explanations, *, attribute: str) -> UnitScores:
    """Whether each text speaks of what the reader is."""
    hits = np.zeros(len(explanations), bool)
    known: dict[str, set[str]] = {}
    for row, (text, brief) in enumerate(zip(outside_names(explanations), explanations.briefs, strict=True)):
        if text is None:
            continue
        if text.text not in known:
            known[text.text] = _attributes(text.text, text.words)
        found = known[text.text] | _disclosed(text.text, brief.profile)
        hits[row] = bool(found) if attribute == "any" else attribute in found
    return unstained(explanations, hits)


def mentions_in(text: Masked, profile: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """Where a text speaks of what its reader is: first and last character, and the attribute."""
    patterns = [
        *((name, pattern) for name, pattern in _patterns().items() if _triggers()[name] & text.words),
        ("age", _AGED),
        *((name, _repeats(name, value)) for name, value in profile.items()),
    ]
    found = [(*match.span(), name) for name, pattern in patterns for match in pattern.finditer(text.text)]
    return list(dict.fromkeys(found))


def _disclosed(text: str, profile: Mapping[str, str]) -> set[str]:
    """Attributes of the profile that a text repeats: by name and value, or by a value that is a word."""
    return {name for name, value in profile.items() if _repeats(name, value).search(text)}


@lru_cache(maxsize=1024)
def _repeats(name: str, value: str) -> re.Pattern[str]:
    """What repeats an attribute of a profile."""
    parts = (
        rf"\b{re.escape(name)}\W{{1,4}}(?:is\s+|of\s+)?{re.escape(value)}(?!\w)",
        rf"\byour\s+{re.escape(name)}\b",
        rf"\b(?:as|like)\s+an?\s+{re.escape(value)}(?!\w)",
    )
    return re.compile("|".join(parts), re.IGNORECASE)
