"""Parsers: one file for each family; a dialect names one by ``kind`` for each task."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from genrec_eval.judging.parsing.bare import BareNumber, YesNo
from genrec_eval.judging.parsing.base import Ask, ParserSpec
from genrec_eval.judging.parsing.lines import FirstLineLabel, FirstLineScores, LastLinesScores
from genrec_eval.judging.parsing.marked import MarkedLabel, MarkedNumber
from genrec_eval.judging.parsing.objects import CLAIM_LABELS, JsonParser
from genrec_eval.judging.parsing.tokens import LabelLogprobs

Parser = Annotated[
    JsonParser
    | MarkedLabel
    | MarkedNumber
    | FirstLineScores
    | LastLinesScores
    | FirstLineLabel
    | LabelLogprobs
    | BareNumber
    | YesNo,
    Field(discriminator="kind"),
]

PARSERS = (
    "json",
    "marked_label",
    "marked_number",
    "first_line_scores",
    "last_lines_scores",
    "first_line_label",
    "label_logprobs",
    "number",
    "yes_no",
)
"""Kinds, in the order of the classes above."""

__all__ = ["CLAIM_LABELS", "PARSERS", "Ask", "Parser", "ParserSpec"]
