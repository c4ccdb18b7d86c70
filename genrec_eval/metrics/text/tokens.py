"""Tokenizers, sentences and stems that metrics of text share, each a named parameter."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool
from genrec_eval.metrics.text.texts import Texts

LONGEST_STEMMED = 64
"""Longer words keep their form: the Porter stemmer recurses and is quadratic in a word's length."""

UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts without spaces between words, where each letter is a token: for a character class of `regex`."""
_SPACED = rf"[\p{{L}}\p{{M}}\p{{N}}--[{UNSPACED}]]"
_SENTENCE_ENDS = re.compile(
    r"\n+"
    r"|(?<=[.!?…])\s+"
    r"|(?<=[.!?…][\"'”’)\]])\s+"
    r"|(?<=[。！？؟۔।])"
)


@functools.cache
def _word_pattern() -> Any:
    import regex

    return regex.compile(rf"(?V1)[{UNSPACED}]\p{{M}}*|{_SPACED}+(?:['’]{_SPACED}+)*")


def unicode_words(text: str) -> list[str]:
    """Lower-cased words of any script, in composed form; punctuation and symbols are left out.

    A word is a run of letters, marks and digits, with apostrophes inside it. In Chinese, Japanese, Thai, Lao,
    Khmer and Burmese, which put no space between words, each letter is a word.

    >>> unicode_words("Café d'Ivoire: 2 Jahre, 東京!")
    ['café', "d'ivoire", '2', 'jahre', '東', '京']
    """
    found: list[str] = _word_pattern().findall(unicodedata.normalize("NFC", text).lower())
    return found


def whitespace_words(text: str) -> list[str]:
    """The text cut at white space, else as it is."""
    return text.split()


def ascii_words(text: str) -> list[str]:
    """rouge-score's own: lower-cased runs of a–z and 0–9; all else, accents and other scripts too, vanishes.

    >>> ascii_words("Café 東京, 2nd.")
    ['caf', '2nd']
    """
    from rouge_score.tokenize import tokenize

    return list(tokenize(text, None))


TOKENIZERS: dict[str, Callable[[str], list[str]]] = {
    "unicode": unicode_words,
    "whitespace": whitespace_words,
    "ascii": ascii_words,
}
TOKENS_MEANING = (
    "unicode: lower-cased runs of letters, marks and digits of any script, each letter by itself in scripts"
    " that put no space between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese); whitespace: cut at"
    " white space, else as it is; ascii: rouge-score's, lower-cased runs of a–z and 0–9, so that accented"
    " letters and other scripts vanish"
)


def tokenized(texts: Texts, tokens: str) -> list[list[str] | None]:
    """Tokens of each text under a tokenizer's name, cut once; None where there is no text."""
    cut = TOKENIZERS[tokens]
    return texts.kept(
        ("tokens", tokens), lambda: [None if text is None else cut(text) for text in texts.texts]
    )


def wordless(texts: Texts, tokens: str) -> Bool:
    """bool[n], texts that say nothing: no letter and no digit, or none that the tokenizer knows."""
    return np.array(
        [
            text is not None and (not words or not any(map(str.isalnum, text)))
            for text, words in zip(texts.texts, tokenized(texts, tokens), strict=True)
        ],
        bool,
    )


def sentences(text: str) -> list[str]:
    """Parts between line breaks, and after . ! ? … before white space, and after 。！？؟۔। anywhere.

    Abbreviations are not known: "Dr. No" is two. Parts without a letter or digit are left out.

    >>> sentences('It costs 3.50. "Really?" Yes!\\n- Good')
    ['It costs 3.50.', '"Really?"', 'Yes!', '- Good']
    """
    parts = (part.strip() for part in _SENTENCE_ENDS.split(text))
    return [part for part in parts if any(map(str.isalnum, part))]


@functools.lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Porter stem of a lower-cased word (NLTK's variant), each word once.

    >>> stem("reviews"), stem("y" * 5000) == "y" * 5000
    ('review', True)
    """
    if len(word) > LONGEST_STEMMED:
        return word
    found: str = _porter().stem(word)
    return found


@functools.cache
def _porter() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()
