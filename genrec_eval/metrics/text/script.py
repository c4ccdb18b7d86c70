"""Whether a text is in the script of its reference: the cheap sign of an answer in another language."""

from __future__ import annotations

import functools
import unicodedata
from collections import Counter

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.text.comparing import LEFT_OUT, comparable, reasons
from genrec_eval.metrics.text.texts import NO_TOKEN, Texts


@functools.lru_cache(maxsize=1 << 16)
def script(character: str) -> str:
    """Script of a letter by its Unicode name; "" for what is no letter.

    >>> [script(one) for one in "éß京אع8"]
    ['LATIN', 'LATIN', 'CJK', 'HEBREW', 'ARABIC', '']
    """
    if not character.isalpha():
        return ""
    return unicodedata.name(character, "UNKNOWN").split()[0].split("-")[0]


def scripts(text: str) -> Counter[str]:
    """Letters of a text by script, compatibility forms (full width, mathematical) as what they stand for."""
    found: Counter[str] = Counter()
    for character, count in Counter(unicodedata.normalize("NFKC", text)).items():
        if name := script(character):
            found[name] += count
    return found


@define(
    Definition(
        name="foreign_script",
        title="Other script",
        summary="Share of a text's letters in a script that none of its references uses.",
        formula="letters of scripts that no reference has / letters; mean over texts",
        degenerate=f"{LEFT_OUT} A token is a letter."
        " A text without a letter is in no script: left out (no-token).",
        source="Unicode character names; this suite.",
        direction="lower",
        unit="share",
        resampling_unit="text",
        needs_cutoff=False,
        on="texts",
        traps="Tells Japanese from English, not German from English.",
    )
)
def foreign_script(texts: Texts) -> UnitScores:
    """Share of letters in another script, per text.

    >>> from genrec_eval.metrics.registry import metric
    >>> texts = Texts(texts=["東京 ok", "fine", ""], references=[("good",), ("good",), ("good",)])
    >>> found = metric("foreign_script")(texts)
    >>> found.values[found.scored].tolist()
    [0.5, 0.0]
    """
    units, why = comparable(texts, scripts)
    values, letterless = np.zeros(len(texts)), np.zeros(len(texts), bool)
    for row, text, references in units:
        own, known = scripts(text), set().union(*(scripts(one) for one in references))
        letterless[row] = not own
        if own:
            values[row] = sum(count for name, count in own.items() if name not in known) / own.total()
    letterless |= why.get(NO_TOKEN, False)
    return UnitScores(values=values, reasons=reasons({**why, NO_TOKEN: letterless}))
