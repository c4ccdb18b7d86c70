"""A reference recommender that speaks: it reads titles in a message and answers with a list of titles."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import numpy as np

from genrec_eval.reference.base import ReferenceModel
from genrec_eval.serving.catalogue import Catalogue
from genrec_eval.serving.titles import Titles

_DEFAULT_LENGTH = 10
_MOST = 1000
_NUMBER = r"(?P<k>\d{1,4})\b"
_ASKED = [
    re.compile(rf"\b(?:recommend|suggest)\b(?:\s+[a-z]+){{0,3}}?\s+{_NUMBER}", re.IGNORECASE),
    re.compile(
        rf"\b(?:top|give|list|name|pick|choose|select|rank)\b(?:\s+[a-z]+){{0,3}}?[\s-]+{_NUMBER}", re.I
    ),
    re.compile(
        rf"\b{_NUMBER}\s+(?:[a-z]+\s+){{0,2}}?(?:titles|items|movies|films|books|songs|products|recommendations)\b",
        re.IGNORECASE,
    ),
]
_CANDIDATES = re.compile(r"<candidates>|\bchoose (?:only )?from\b|\bcandidates?\b[^\n]{0,40}:", re.IGNORECASE)
_JSON = re.compile(r"\bjson\b", re.IGNORECASE)


class Persona:
    """Speaks for one reference model.

    The titles of the catalogue that the last user message holds are the history; those after a word such
    as "candidates:" or "choose from" are what the list is chosen from. The answer is a numbered list of
    "Title (Year)", or a JSON array where the message speaks of JSON, as long as asked ("recommend 5"), 10
    by default. It depends on the request's content alone.

    Parameters
    ----------
    catalogue, titles
        What is served.
    model
        The recommender.
    """

    def __init__(self, catalogue: Catalogue, titles: Titles, model: ReferenceModel) -> None:
        self.catalogue = catalogue
        self.titles = titles
        self.model = model

    def __call__(self, last: str, request: dict[str, Any]) -> str:
        """Answer the last user message."""
        found, wish = self.titles.read(last)
        split = _CANDIDATES.search(wish)
        border = len(wish) if split is None else split.start()
        history = np.array([code for place, code in found if place < border], np.int32)
        offered = np.array([code for place, code in found if place >= border], np.int32)
        items, _ = self.catalogue.recommend(
            self.model,
            _user(last, request),
            history,
            length_asked(wish),
            offered if len(offered) else None,
        )
        codes = self.catalogue.training.items.codes
        labels = [self.titles.labels[codes[item]] if item in codes else item for item in items]
        form = request.get("response_format")
        if isinstance(form, dict) and form.get("type") == "json_object":
            return json.dumps({"recommendations": labels}, ensure_ascii=False)
        if _JSON.search(wish):
            return json.dumps(labels, ensure_ascii=False)
        return "\n".join(f"{place}. {label}" for place, label in enumerate(labels, 1))


def length_asked(text: str) -> int:
    """How many items a message asks for.

    >>> length_asked("Recommend exactly 5 other titles."), length_asked("What should I watch?")
    (5, 10)
    >>> length_asked("My top 3, please"), length_asked("Which 7 movies fit?")
    (3, 7)
    """
    for pattern in _ASKED:
        match = pattern.search(text)
        if match and 1 <= int(match["k"]) <= _MOST:
            return int(match["k"])
    return _DEFAULT_LENGTH


def _user(last: str, request: dict[str, Any]) -> str:
    """Who is speaking: named, or known by what is asked; another seed is another sample."""
    named = request.get("user")
    who = named if isinstance(named, str) else hashlib.sha256(last.encode("utf-8", "replace")).hexdigest()
    return f"{who} {request['seed']}" if isinstance(request.get("seed"), int) else who
