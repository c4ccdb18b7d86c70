"""The translator that makes a chat model answer ``rank``: prompt out, grounded list in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from genrec_eval.core.errors import UsageError
from genrec_eval.models.llm.ground import Grounder
from genrec_eval.models.llm.parse import READER, parse
from genrec_eval.models.llm.prompt import Prompt, load_prompt
from genrec_eval.models.llm.spec import RecommenderSpec
from genrec_eval.models.llm.text import as_data
from genrec_eval.models.spec import BuildContext
from genrec_eval.protocol.model import Translator
from genrec_eval.protocol.requests import ChatRequest, Kind, Message, RankRequest, Request
from genrec_eval.protocol.responses import Answer, ChatResponse, RankResponse
from genrec_eval.protocol.status import Status


class Recommender(Translator):
    """Asks a chat model for recommendations and reads its answer against the catalogue.

    Statuses: an answer from which no list can be read becomes UNPARSED with its text kept, or REFUSED
    when it declines. A truncated one stays TRUNCATED and holds its complete entries only. Mentions
    outside the catalogue, repeats, and entries beyond ``k`` stay in the list as they were written.
    """

    gives: Kind = "rank"
    needs: Kind = "chat"

    def __init__(self, spec: RecommenderSpec, prompt: Prompt, grounder: Grounder) -> None:
        self.spec = spec
        self.prompt = prompt
        self.grounder = grounder
        self._hint = _catalogue_hint(grounder)

    def identity(self) -> dict[str, Any]:
        """What a list depends on beside the chat; for provenance, not part of a call's key."""
        return {
            "prompt": self.prompt.name,
            "prompt_version": self.prompt.version,
            "prompt_digest": self.prompt.digest(),
            "reader": READER,
            **self.spec.model_dump(mode="json", exclude={"prompt"}),
        }

    def translate(self, request: Request) -> Request:
        """Render the prompt for one rank request.

        Raises
        ------
        UsageError
            When the scenario gives candidates or discloses a profile and the prompt does not show
            them, the prompt needs candidates and the scenario gives none, or lacks the wording asked for.
        """
        if not isinstance(request, RankRequest):
            raise UsageError(f"the recommender wrapper answers 'rank' requests, not '{request.kind}'")
        self.prompt.check(
            candidates=request.candidates is not None, profile=bool(request.profile), wording=request.wording
        )
        limit = self.spec.history_limit
        system, user = self.prompt.render(
            k=request.k,
            history=self._titles(request.history[-limit:] if limit else ()),
            candidates=None if request.candidates is None else self._titles(request.candidates),
            profile={as_data(str(key)): as_data(str(value)) for key, value in request.profile.items()},
            wording=request.wording,
            catalogue_hint=self._hint,
        )
        messages = [Message("user", user)]
        if system is not None:
            messages.insert(0, Message("system", system))
        return ChatRequest(messages=tuple(messages))

    def interpret(self, request: Request, answer: Answer) -> Answer:
        """Read the list in a completion; see the class for the statuses."""
        text = answer.response.text if isinstance(answer.response, ChatResponse) else None
        if text is None or answer.status not in (Status.OK, Status.TRUNCATED):
            status = Status.INVALID if answer.status is Status.OK else answer.status
            return replace(answer, status=status, response=None, raw=text if text else answer.raw)
        cut_off = answer.status is Status.TRUNCATED or answer.response.finish_reason == "length"  # type: ignore[union-attr]
        parsed = parse(text, self.spec.parser, truncated=cut_off)
        if parsed.oversized:
            return replace(answer, status=Status.OVERSIZED, response=None, error=parsed.problem, raw=text)
        if not parsed.entries and not cut_off:
            status = Status.REFUSED if parsed.refused else Status.UNPARSED
            return replace(answer, status=status, response=None, error=parsed.problem, raw=text)
        matches = [self.grounder.match(entry.readings, entry.mention) for entry in parsed.entries]
        return replace(
            answer,
            status=Status.TRUNCATED if cut_off else answer.status,
            response=RankResponse(
                items=tuple(match.item for match in matches),
                mentions=tuple(match.mention for match in matches),
                grounding=tuple(match.tier for match in matches),
            ),
            error=answer.error if parsed.entries else parsed.problem,
            raw=answer.raw if parsed.entries else text,
            meta={**(answer.meta or {}), "read_as": parsed.form},
        )

    def _titles(self, items: tuple[str, ...]) -> list[str]:
        return [as_data(self.grounder.shown(item)) for item in items]


def _catalogue_hint(grounder: Grounder) -> str:
    years = [year for year in grounder.years if year is not None]
    when = f", dated {min(years)} to {max(years)}" if years else ""
    return f"The catalogue has {len(grounder)} titles{when}."


def build(spec: RecommenderSpec, context: BuildContext) -> Recommender:
    """See :meth:`RecommenderSpec.build`."""
    if context.training is None:
        raise UsageError(
            f"model '{context.name}': 'recommender' grounds titles in a catalogue,"
            " but the scenario has no data"
        )
    settings = spec.grounding
    grounder = Grounder(
        context.training.item_table, settings.tiers, settings.fuzzy_cutoff, settings.year_tolerance
    )
    return Recommender(spec, load_prompt(spec.prompt, context.folder), grounder)
