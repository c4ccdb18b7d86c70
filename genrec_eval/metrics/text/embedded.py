"""Embeddings of the texts that metrics share, and how many were too long for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genrec_eval.metrics.text.sentence_model import Float32, SentenceEncoder, SentenceModel
from genrec_eval.metrics.text.texts import Texts

MODEL_MEANING = (
    "minilm: all-MiniLM-L6-v2, which the extra 'sentences' installs (English; other scripts are hardly told"
    " apart); PATH#DIGEST: an encoder of transformers or sentence-transformers in a folder, safetensors only,"
    " with mean or first-token pooling"
)


def remark_cut(texts: Texts, name: str, window: int, lengths: Mapping[str, int], room: int) -> None:
    """Say how many texts were compared by their beginning only.

    Parameters
    ----------
    lengths
        Text → its tokens without special ones.
    room
        How many of them fit into the window.
    """
    cut = sum(text is not None and lengths[text] > room for text in texts.texts)
    if cut:
        texts.remarks[f"window {name} {window}"] = (
            f"{cut} of {len(texts)} texts are longer than the {window} tokens that {name} reads of a text"
            " here: the rest is not looked at"
        )


class Embedded:
    """Texts and references by their embeddings, each different one once.

    Attributes
    ----------
    vectors
        Text → float32[d] of length 1; only for texts in which there is a token.
    lengths
        Text → its tokens without special ones.
    """

    def __init__(self, model: SentenceModel) -> None:
        self.model = model
        self.vectors: dict[str, Float32] = {}
        self.lengths: dict[str, int] = {}

    @classmethod
    def of(cls, texts: Texts, encoder: SentenceEncoder, what: str) -> Embedded:
        """Those that metrics of these texts share."""
        return texts.kept(("embedded", str(encoder)), lambda: cls(encoder.loaded(what)))

    def add(self, texts: Sequence[str]) -> None:
        """Embed those that are not known yet."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self.lengths]
        lengths = self.model.lengths(fresh)
        self.lengths.update(zip(fresh, lengths.tolist(), strict=True))
        held = [text for text in fresh if self.lengths[text]]
        self.vectors.update(zip(held, self.model.encode(held, lengths[lengths > 0]), strict=True))

    def has_token(self, text: str) -> bool:
        """Whether the tokenizer finds anything in a text that was added."""
        return text in self.vectors

    def remark(self, texts: Texts) -> None:
        """Say how many of the texts were longer than what an embedding rests on."""
        model = self.model
        remark_cut(texts, model.name, model.window, self.lengths, model.room(model.window))
