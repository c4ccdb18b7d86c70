"""Small real models and scenarios that the engine's tests play."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from genrec_eval.core.strict import StrictModel
from genrec_eval.engine.budget import Budget
from genrec_eval.engine.exchange import Exchanger, Policy
from genrec_eval.engine.journal import Journal
from genrec_eval.engine.limits import Limiter
from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.spelling import bind
from genrec_eval.protocol.model import Call, Model
from genrec_eval.protocol.requests import ChatRequest, Image, ImageRequest, Message, Request
from genrec_eval.protocol.responses import Answer, ChatResponse, ImageResponse
from genrec_eval.scenarios.base import Ask, Case, Prepared, Scenario, ScoredUnits


class Scripted(Model):
    """Answers through a function and counts what it was asked."""

    kinds = frozenset({"chat", "image", "rank"})
    endpoint = "test://scripted"

    def __init__(self, reply: Callable[[Request, Call, int], Answer], version: int = 1) -> None:
        self.reply = reply
        self.version = version
        self.asked: Counter[tuple[str, int]] = Counter()
        self.in_flight = self.most_in_flight = 0

    def identity(self) -> dict[str, Any]:
        return {"adapter": "scripted", "version": self.version}

    async def answer(self, request: Request, call: Call) -> Answer:
        seen = (str(request.to_wire()), call.repeat)
        self.asked[seen] += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            return self.reply(request, call, self.asked[seen])
        finally:
            self.in_flight -= 1


def echo(request: Request, call: Call, times: int) -> Answer:
    """Say the last message back, with the index of the sample."""
    assert isinstance(request, ChatRequest)
    return Answer(response=ChatResponse(text=f"{call.repeat}: {request.messages[-1].content}"))


def chat(text: str) -> ChatRequest:
    """A chat request of one message."""
    return ChatRequest(messages=(Message("user", text),))


def exchanger(
    folder: Any, model: Model, *, most: int = 8, budget: Budget | None = None, **policy: Any
) -> Exchanger:
    """An exchanger with a journal in ``folder``."""
    journal = Journal(folder / "journal.sqlite")
    return Exchanger(model, journal, Limiter(most), budget or Budget(), Policy(**policy), folder / "blobs")


class _Options(StrictModel):
    pass


class Conversation(Scenario):
    """Three turns of chat in which each question quotes the answer before, then a picture of the last."""

    name = "conversation"
    kind = "chat"
    title = "Conversation"
    summary = "Three scripted turns and an image."
    Options = _Options

    def prepare(self, dataset: Any) -> Prepared:
        names = [f"dialogue-{i}" for i in range(12)]
        return Prepared(cases=pa.table({"case": names, "unit": names, "arm": ["neutral"] * 12}))

    def metrics(self) -> list[Any]:
        return []

    def request(self, prepared: Prepared, case: Case) -> Request:
        return chat(f"{case.id} wants a film")

    async def play(self, prepared: Prepared, case: Case, ask: Ask) -> None:
        messages = [Message("user", f"{case.id} wants a film")]
        for turn in range(3):
            answer = await ask(ChatRequest(messages=tuple(messages)))
            assert isinstance(answer.response, ChatResponse)
            messages += [
                Message("assistant", answer.response.text),
                Message("user", f"turn {turn}: another, not {answer.response.text}"),
            ]
        await ask(ImageRequest(prompt=f"a poster for {case.id}", references=(Image(b"\x89PNG old"),)))

    def score(
        self, cases: pa.Table, context: Mapping[str, pa.Table], records: Iterable[pa.RecordBatch]
    ) -> ScoredUnits:
        raise NotImplementedError


def talk_and_draw(request: Request, call: Call, times: int) -> Answer:
    """Answer chat with a digest of the talk so far, and image requests with bytes."""
    if isinstance(request, ImageRequest):
        return Answer(response=ImageResponse(image=Image(b"\x89PNG" + request.prompt.encode())))
    assert isinstance(request, ChatRequest)
    spoken = sum(len(message.content) for message in request.messages)
    return Answer(response=ChatResponse(text=f"film {spoken}.{call.repeat}"))


def rows(prepared: Prepared) -> np.ndarray:
    """All rows of the case table."""
    return np.arange(len(prepared.cases))


class OneQuestion(Conversation):
    """One question of chat each, scored by whether an answer came."""

    name = "one-question"

    def metrics(self) -> list[Any]:
        return [bind("spoke", lambda name: spoke)]

    async def play(self, prepared: Prepared, case: Case, ask: Ask) -> None:
        await ask(self.request(prepared, case))

    def score(
        self, cases: pa.Table, context: Mapping[str, pa.Table], records: Iterable[pa.RecordBatch]
    ) -> ScoredUnits:
        said = {row["case"] for batch in records for row in batch.to_pylist() if row["text"]}
        units = cases.column("unit").combine_chunks()
        there = np.array([unit in said for unit in units.to_pylist()])
        return ScoredUnits(
            units=units, scores={"spoke": spoke.function(there)}, groups={}, attempted=there, answered=there
        )


@define(
    Definition(
        name="spoke",
        title="Spoke",
        summary="Share of questions that got a text.",
        formula="1 if there is a text else 0",
        degenerate="None.",
        source="Test.",
        direction="higher",
        values="indicator",
        needs_cutoff=False,
    )
)
def spoke(there: np.ndarray) -> UnitScores:
    """Whether a text came."""
    return UnitScores(values=there.astype(float))
