"""One exchange with a model: cache, limit, time-out, retries, budget, journal."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from genrec_eval.core.errors import GenrecError
from genrec_eval.core.fingerprint import digest
from genrec_eval.core.randomness import generator
from genrec_eval.core.secrets import scrub
from genrec_eval.engine.budget import Budget, Spent
from genrec_eval.engine.journal import Exchange, Journal
from genrec_eval.engine.keys import exchange_key, stored_form
from genrec_eval.engine.limits import Limiter
from genrec_eval.engine.rundir import disk_faults, whole_file
from genrec_eval.models.python import describe
from genrec_eval.protocol.model import Call, Fatal, Model, Transient
from genrec_eval.protocol.requests import Image, Request
from genrec_eval.protocol.responses import (
    Answer,
    ChatResponse,
    ImageResponse,
    RankResponse,
    RateResponse,
)
from genrec_eval.protocol.status import TRANSIENT, Status
from genrec_eval.protocol.wire import response_from_wire, response_to_wire

BACKOFF = 0.5
LONGEST_WAIT = 60.0
PATIENCE = 3.0
"""Seconds that a service which was never reached has to come up."""
REFUSED = 120.0
"""Seconds of nothing but refusals after which a quota is spent and not merely short."""
_RESPONSES = {"rank": RankResponse, "rate": RateResponse, "chat": ChatResponse, "image": ImageResponse}
_EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}


class Stopped(Exception):
    """No more cases of this model can be asked; carries the sentence for the coverage table."""


@dataclass(slots=True)
class Tally:
    """What playing one model took in this session."""

    calls: int = 0
    cached: int = 0
    attempts: int = 0


@dataclass(slots=True)
class Policy:
    """How hard to try."""

    timeout: float = 60.0
    retries: int = 5
    breaker: int | None = 20
    """Exchanges in a row, retries included, to which the service gave no answer, before it is given up."""
    max_text_bytes: int = 1 << 20
    seed: int = 0


class Exchanger:
    """Puts requests to one model and keeps every answer.

    Parameters
    ----------
    model
        The adapter; one attempt per call.
    journal, limiter, budget
        Shared with other models of the run; the limiter with those of the same endpoint.
    policy
        Time-out, retries, breaker.
    blobs
        Folder for payloads that do not belong in a table.
    most
        Most calls of this model in flight, whatever the limiter of its endpoint allows.
    """

    def __init__(
        self,
        model: Model,
        journal: Journal,
        limiter: Limiter,
        budget: Budget,
        policy: Policy,
        blobs: Path,
        most: int | None = None,
    ) -> None:
        self.model = model
        self.journal = journal
        self.limiter = limiter
        self.budget = budget
        self.policy = policy
        self.blobs = blobs
        self.places = max(1, min(most or limiter.most, model.concurrency or limiter.most))
        self.tally = Tally()
        self.stopped: str | None = None
        identity = model.identity()
        self.identity_digest = digest(identity)
        journal.add_identity(self.identity_digest, identity)
        self._own = asyncio.Semaphore(self.places)
        self._sleepers: set[asyncio.Future[None]] = set()
        self._queue: set[asyncio.Task[Any]] = set()
        self._sent_home: set[asyncio.Task[Any]] = set()
        self._unanswered_in_a_row = self._unreached = self._refused = 0
        self._refused_since = 0.0
        self._reached = False
        self._first_try: float | None = None

    async def ask(self, request: Request, repeat: int) -> tuple[Answer, Exchange, bool]:
        """Return the answer, its exchange and whether it came from the journal.

        What the journal holds is given out even when the model was stopped.

        Raises
        ------
        Stopped
            When the model was given up or the budget is spent.
        """
        wire, images = stored_form(request)
        key = exchange_key(wire, self.identity_digest, repeat)
        found = self.journal.find(key)
        if found is not None and self._usable(found):
            self.tally.cached += 1
            return self.read(request, found), found, True
        flights = self.journal.flights
        while key in flights:
            try:
                found = await asyncio.shield(flights[key])
            except Stopped:
                if self.stopped is not None:
                    raise
                continue  # it was another model, of the same identity, that was given up
            self.tally.cached += 1
            return self.read(request, found), found, True
        if self.stopped is not None:
            raise Stopped(self.stopped)
        flight = flights[key] = asyncio.get_running_loop().create_future()
        flight.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait for it
        try:
            for image in images:
                self._keep(image.data, _EXTENSIONS.get(image.media_type, "bin"))
            exchange = await self._attempts(request, wire, key, repeat)
        except BaseException as error:
            flight.set_exception(
                Stopped("interrupted") if isinstance(error, asyncio.CancelledError) else error
            )
            raise
        else:
            flight.set_result(exchange)
        finally:
            del flights[key]
        return self.read(request, exchange), exchange, False

    def read(self, request: Request, exchange: Exchange) -> Answer:
        """The answer that an exchange of the journal holds, under the limits of this run."""
        status, error, response = exchange.status, exchange.error, None
        if exchange.response is not None and len(exchange.response) > self.policy.max_text_bytes:
            status, error = Status.OVERSIZED, self._too_long(exchange.response)
        elif exchange.response is not None:
            image = None
            if exchange.blob is not None:
                image = Image((self.blobs / exchange.blob).read_bytes(), exchange.media_type or "")
            response = response_from_wire(request.kind, orjson.loads(exchange.response), image)
        return Answer(status=status, response=response, error=error, raw=exchange.raw)

    def _usable(self, found: Exchange) -> bool:
        """Whether the payload is still there, and an answer that was too long is so under today's limit."""
        if found.blob is None:
            return True
        try:
            size = (self.blobs / found.blob).stat().st_size
        except FileNotFoundError:
            return False
        return found.status is not Status.OVERSIZED or size > self.policy.max_text_bytes

    def _too_long(self, response: bytes) -> str:
        return f"answer of {len(response):,} bytes; at most {self.policy.max_text_bytes:,} are allowed"

    async def _attempts(self, request: Request, wire: dict[str, Any], key: str, repeat: int) -> Exchange:
        call = Call(repeat=repeat, timeout=self.policy.timeout)
        answer, attempt, sent = None, 0, 0.0
        try:
            while True:
                answer, wait, sent = await self._attempt(request, call)
                attempt += 1
                self.tally.attempts += 1
                if wait is None or attempt > self.policy.retries:
                    break
                await self._pause(self._delay(key, attempt, wait))
        except (Stopped, asyncio.CancelledError):
            if answer is not None:  # a resumed run counts what was tried against its budget
                self._write(answer, wire, key, repeat, attempt, sent)
            raise
        self._note_health(answer, attempt)
        return self._write(answer, wire, key, repeat, attempt, sent)

    async def _attempt(self, request: Request, call: Call) -> tuple[Answer, float | None, float]:
        """One attempt: the answer, the least wait before another (None: final), when it was sent."""
        async with self._own:
            since = await self._place()
            outcome, wait, sent, deadline = "other", 0.0, time.time(), asyncio.timeout(call.timeout)
            try:
                if self.stopped is not None:
                    raise Stopped(self.stopped)
                self.budget.admit()
                sent = time.time()
                self._first_try = self._first_try or time.monotonic()
                async with deadline:
                    answer = _checked(request, await self.model.answer(request, call))
                outcome, self._reached, self._refused = "ok", True, 0
                self.budget.charge(answer.usage)
                return answer, None, sent
            except Transient as fault:
                outcome = "refused" if fault.status is Status.RATE_LIMITED else "failed"
                wait = fault.retry_after or 0.0
                self._note_reach(fault)
                if outcome == "refused":
                    self._note_refusal(fault)
                return Answer(status=fault.status, error=str(fault)), wait, sent
            except (Fatal, Spent) as end:
                self._stop(str(end))
                raise Stopped(self.stopped) from end
            except (GenrecError, Stopped):
                raise
            except Exception as error:
                outcome = "failed"
                if isinstance(error, TimeoutError) and deadline.expired():
                    late = Answer(status=Status.TIMEOUT, error=f"no answer within {call.timeout:g} s")
                    # a function of this process that hangs will hang again; a service may not
                    return late, 0.0 if self.model.endpoint else None, sent
                # an adapter may raise anything; the case gets the status, the run goes on
                return Answer(status=Status.ERROR, error=describe(error)), None, sent
            finally:
                self.limiter.release(outcome, since, wait)

    async def _place(self) -> float:
        """Wait for a free place of the endpoint, but not when the model is given up meanwhile."""
        if self.stopped is not None:
            raise Stopped(self.stopped)
        task = asyncio.current_task()
        assert task is not None
        self._queue.add(task)
        try:
            return await self.limiter.acquire()
        except asyncio.CancelledError:
            if task in self._sent_home and not task.uncancel():
                raise Stopped(self.stopped) from None
            raise
        finally:
            self._queue.discard(task)
            self._sent_home.discard(task)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not on when the model is given up meanwhile."""
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.add(sleeper)
        try:
            if self.stopped is None:
                await asyncio.wait([sleeper], timeout=seconds)
        finally:
            self._sleepers.discard(sleeper)
        if self.stopped is not None:
            raise Stopped(self.stopped)

    def _delay(self, key: str, attempt: int, least: float) -> float:
        jitter = float(generator(self.policy.seed, "backoff", key, attempt).uniform(0.5, 1.0))
        # those who were told the same time shall not come at once
        least = min(least, LONGEST_WAIT) * (1 + 0.1 * jitter)
        return max(least, jitter * min(LONGEST_WAIT, BACKOFF * 2.0 ** (attempt - 1)))

    def _stop(self, reason: str) -> None:
        if self.stopped is None:
            self.stopped = scrub(reason)
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)
        for task in self._queue - self._sent_home:
            task.cancel()
            self._sent_home.add(task)

    def _note_reach(self, fault: Transient) -> None:
        """Give up a service that was never there, without waiting for retries to run out."""
        self._reached = self._reached or fault.reached
        self._unreached += 1
        most, waited = self.policy.breaker, time.monotonic() - (self._first_try or 0.0)
        if not self._reached and most is not None and self._unreached >= most and waited >= PATIENCE:
            self._stop(f"given up, there was no connection from the first call on: {fault}; run again to ask")

    def _note_refusal(self, fault: Transient) -> None:
        """Give up a service that has refused every call for minutes, before all retries have run out."""
        now = time.monotonic()
        self._refused_since = self._refused_since if self._refused else now
        self._refused += 1
        lasted, most = now - self._refused_since, self.policy.breaker
        if most is not None and self._refused >= most * (1 + self.policy.retries) and lasted >= REFUSED:
            self._stop(
                f"given up after {self._refused} refusals and no answer in {lasted:.0f} s: {fault};"
                " run again to ask the rest"
            )

    def _note_health(self, answer: Answer, attempts: int) -> None:
        # 429 or silence to every attempt is as dead as no connection; one slow answer is not
        lost = answer.status in TRANSIENT and attempts > 1
        if answer.status is not Status.UNAVAILABLE and not lost:
            self._unanswered_in_a_row = 0
            return
        self._unanswered_in_a_row += 1
        most = self.policy.breaker
        if most is not None and self._unanswered_in_a_row >= most:
            self._stop(
                f"given up after {most} unanswered cases in a row: {answer.error}; run again to ask the rest"
            )

    def _write(
        self, answer: Answer, wire: dict[str, Any], key: str, repeat: int, attempts: int, sent: float
    ) -> Exchange:
        ended = time.time()
        status, error = answer.status, answer.error
        response: bytes | None = None
        blob = media_type = None
        if answer.response is not None:
            try:
                body, image = response_to_wire(answer.response)
                response = _scrubbed(orjson.dumps(body))
            except (TypeError, ValueError, AttributeError) as fault:  # half a surrogate pair, no text at all
                status, error, image = Status.INVALID, f"the answer is no JSON: {fault}", None
            if image is not None:
                media_type = image.media_type
                blob = self._keep(image.data, _EXTENSIONS.get(media_type, "bin"))
            elif response is not None and len(response) > self.policy.max_text_bytes:
                blob = self._keep(response, "json")
                status, error, response = Status.OVERSIZED, self._too_long(response), None
        exchange = Exchange(
            key=key,
            model=self.identity_digest,
            repeat=repeat,
            status=status,
            request=_scrubbed(orjson.dumps(wire)),
            response=response,
            blob=blob,
            media_type=media_type,
            raw=_clean(answer.raw),
            meta=None if answer.meta is None else _clean(json.dumps(answer.meta, default=str)),
            error=_clean(error),
            attempts=attempts,
            sent=sent,
            first=answer.first,
            ended=ended,
            input_tokens=answer.usage.input_tokens,
            output_tokens=answer.usage.output_tokens,
            cost=answer.usage.cost,
        )
        self.journal.append(exchange)
        self.tally.calls += 1
        return exchange

    def _keep(self, data: bytes, extension: str) -> str:
        name = f"{hashlib.sha256(data).hexdigest()}.{extension}"
        path = self.blobs / name
        if not path.exists():
            with disk_faults(path):
                self.blobs.mkdir(exist_ok=True)
            with whole_file(path) as partial:
                partial.write_bytes(data)
        return name


def _checked(request: Request, answer: object) -> Answer:
    """Refuse what an adapter must not return; nothing is repaired."""
    if not isinstance(answer, Answer):
        wrong = f"the adapter returned a {type(answer).__name__}, not an Answer"
        return Answer(status=Status.ERROR, error=wrong)
    given = answer.response
    if given is None and answer.status is Status.OK:
        return replace(answer, status=Status.INVALID, error="the adapter said ok without a response")
    if given is not None and not isinstance(given, _RESPONSES[request.kind]):
        wrong = f"the adapter answered '{request.kind}' with a {type(given).__name__}"
        return replace(answer, status=Status.INVALID, response=None, error=wrong)
    return answer


def _scrubbed(data: bytes) -> bytes:
    text = data.decode()
    clean = scrub(text)
    return data if clean is text else clean.encode()


def _clean(text: str | None) -> str | None:
    return None if text is None else scrub(text.encode("utf-8", "replace").decode())
