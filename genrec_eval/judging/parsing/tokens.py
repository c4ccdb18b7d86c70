"""Preferences from the log-probabilities of the first token (AlpacaEval 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from genrec_eval.judging.parsing.base import Ask, ParserSpec, clipped, distinct_labels, unparsed, won
from genrec_eval.judging.parsing.expected import shares
from genrec_eval.judging.types import JudgementStatus, TaskKind, Verdict, Winner
from genrec_eval.protocol.responses import TokenLogprob


class LabelLogprobs(ParserSpec):
    """Two tokens, one for each answer; the preference is the share of the second among both."""

    kind: Literal["label_logprobs"]
    kinds: ClassVar[frozenset[TaskKind]] = frozenset(("pairwise",))
    expects: ClassVar[frozenset[TaskKind]] = frozenset(("pairwise",))
    reads_logprobs: ClassVar[bool] = True
    first: str = Field(min_length=1, description="Token for the answer shown first.")
    second: str = Field(min_length=1, description="Token for the answer shown second.")

    @model_validator(mode="after")
    def _distinct(self) -> LabelLogprobs:
        distinct_labels([self.first.strip(), self.second.strip()])  # white space about a token is not seen
        return self

    def read(self, text: str, ask: Ask) -> Verdict:
        """The token as text, without a preference: what recorded texts without log-probabilities allow."""
        winners: dict[str, Winner] = {self.first.strip(): "first", self.second.strip(): "second"}
        winner = winners.get(text.strip())
        if winner is None:
            return unparsed(f"neither {self.first} nor {self.second} but '{clipped(text)}'")
        return won(winner, text.strip())

    def expected(self, tokens: Sequence[TokenLogprob], ask: Ask) -> Verdict:
        """Preference at the first token that is not white space."""
        token = next((one for one in tokens if one.token.strip()), None)
        if token is None:
            return unparsed("no token but white space")
        first, second = shares(token, ((self.first,), (self.second,)))
        mass = first + second
        if mass <= 0.0:
            return unparsed(f"neither {self.first} nor {self.second} is among the likeliest first tokens")
        preference = second / mass
        winner: Winner = "tie" if preference == 0.5 else "second" if preference > 0.5 else "first"
        return Verdict(
            status=JudgementStatus.OK,
            winner=winner,
            preference=preference,
            label=token.token.strip(),
            mass=min(mass, 1.0),
        )
