"""One exchange with a model: cache, limit, time-out, retries, budget, journal."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from genrec_eval.core.errors import GenrecError
from genrec_eval.core.fingerprint import digest
from genrec_eval.core.randomness import generator
from genrec_eval.core.secrets import scrub
from genrec_eval.engine.budget import Budget, Spent
from genrec_eval.engine.journal import Exchange, Journal
from genrec_eval.engine.keys import exchange_key
from genrec_eval.engine.limits import Limiter
from genrec_eval.models.python import describe
from genrec_eval.protocol.model import Call, Fatal, Model, Transient
from genrec_eval.protocol.requests import Image, Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import TRANSIENT, Status
from genrec_eval.protocol.wire import response_from_wire, response_to_wire

BACKOFF = 0.5
LONGEST_WAIT = 60.0
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
    """Exchanges in a row that find the service unavailable before the model is given up."""
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
    """

    def __init__(
        self, model: Model, journal: Journal, limiter: Limiter, budget: Budget, policy: Policy, blobs: Path
    ) -> None:
        self.model = model
        self.journal = journal
        self.limiter = limiter
        self.budget = budget
        self.policy = policy
        self.blobs = blobs
        self.tally = Tally()
        self.stopped: str | None = None
        identity = model.identity()
        self.identity_digest = digest(identity)
        journal.add_identity(self.identity_digest, identity)
        self._unavailable_in_a_row = 0

    async def ask(self, request: Request, repeat: int) -> tuple[Answer, Exchange, bool]:
        """Return the answer, its exchange and whether it came from the journal.

        Raises
        ------
        Stopped
            When the model was given up or the budget is spent.
        """
        wire = request.to_wire()
        key = exchange_key(wire, self.identity_digest, repeat)
        found = self.journal.find(key)
        if found is not None:
            self.tally.cached += 1
            return self.read(request, found), found, True
        flights = self.journal.flights
        if key in flights:
            found = await asyncio.shield(flights[key])
            self.tally.cached += 1
            return self.read(request, found), found, True
        flight = flights[key] = asyncio.get_running_loop().create_future()
        flight.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may wait for it
        try:
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
        """The answer that an exchange of the journal holds."""
        response = None
        if exchange.response is not None:
            image = None
            if exchange.blob is not None:
                image = Image((self.blobs / exchange.blob).read_bytes(), exchange.media_type or "")
            response = response_from_wire(request.kind, orjson.loads(exchange.response), image)
        return Answer(status=exchange.status, response=response, error=exchange.error, raw=exchange.raw)

    async def _attempts(self, request: Request, wire: dict[str, Any], key: str, repeat: int) -> Exchange:
        call = Call(repeat=repeat, timeout=self.policy.timeout)
        for attempt in itertools.count(1):
            answer, wait, sent = await self._attempt(request, call)
            self.tally.attempts += 1
            if wait is None or attempt > self.policy.retries:
                break
            await asyncio.sleep(self._delay(key, attempt, wait))
        self._note_health(answer, attempt)
        exchange = self._write(answer, wire, key, repeat, attempt, sent)
        return exchange

    async def _attempt(self, request: Request, call: Call) -> tuple[Answer, float | None, float]:
        """One attempt: the answer, the least wait before another (None: final), when it was sent."""
        await self.limiter.acquire()
        outcome, sent = "other", time.time()
        try:
            if self.stopped is not None:
                raise Stopped(self.stopped)
            self.budget.admit()
            sent = time.time()
            async with asyncio.timeout(call.timeout):
                answer = await self.model.answer(request, call)
            if not isinstance(answer, Answer):
                wrong = f"the adapter returned a {type(answer).__name__}, not an Answer"
                return Answer(status=Status.ERROR, error=wrong), None, sent
            outcome = "ok"
            self.budget.charge(answer.usage)
            return answer, None, sent
        except TimeoutError:
            outcome = "failed"
            late = Answer(status=Status.TIMEOUT, error=f"no answer within {call.timeout:g} s")
            # a function of this process that hangs will hang again; a service may not
            return late, 0.0 if self.model.endpoint else None, sent
        except Transient as fault:
            outcome = "refused" if fault.status is Status.RATE_LIMITED else "failed"
            return Answer(status=fault.status, error=str(fault)), fault.retry_after or 0.0, sent
        except Fatal as fault:
            self.stopped = scrub(str(fault))
            raise Stopped(self.stopped) from fault
        except Spent as spent:
            self.stopped = str(spent)
            raise Stopped(self.stopped) from spent
        except (GenrecError, Stopped):
            raise
        except Exception as error:  # an adapter of the user's own may raise anything; the run goes on
            return Answer(status=Status.ERROR, error=describe(error)), None, sent
        finally:
            self.limiter.release(outcome)

    def _delay(self, key: str, attempt: int, least: float) -> float:
        jitter = generator(self.policy.seed, "backoff", key, attempt).uniform(0.5, 1.0)
        return max(
            min(least, LONGEST_WAIT), float(jitter) * min(LONGEST_WAIT, BACKOFF * 2.0 ** (attempt - 1))
        )

    def _note_health(self, answer: Answer, attempts: int) -> None:
        # 429 or silence to every attempt is as dead as no connection; one slow answer is not
        lost = answer.status in TRANSIENT and attempts > 1
        if answer.status is not Status.UNAVAILABLE and not lost:
            self._unavailable_in_a_row = 0
            return
        self._unavailable_in_a_row += 1
        most = self.policy.breaker
        if most is not None and self._unavailable_in_a_row >= most and self.stopped is None:
            self.stopped = scrub(
                f"given up after {self._unavailable_in_a_row} unanswered cases in a row: {answer.error};"
                " run again to ask the rest"
            )

    def _write(
        self, answer: Answer, wire: dict[str, Any], key: str, repeat: int, attempts: int, sent: float
    ) -> Exchange:
        ended = time.time()
        status, error, raw = answer.status, answer.error, answer.raw
        response: bytes | None = None
        blob = media_type = None
        if answer.response is not None:
            body, image = response_to_wire(answer.response)
            response = _scrubbed(orjson.dumps(body))
            if image is not None:
                blob, media_type = (
                    self._keep(image.data, _EXTENSIONS.get(image.media_type, "bin")),
                    image.media_type,
                )
            elif len(response) > self.policy.max_text_bytes:
                blob = self._keep(response, "json")
                error = (
                    f"answer of {len(response):,} bytes; at most {self.policy.max_text_bytes:,} are allowed"
                )
                status, response = Status.OVERSIZED, None
        exchange = Exchange(
            key=key,
            model=self.identity_digest,
            repeat=repeat,
            status=status,
            request=orjson.dumps(wire),
            response=response,
            blob=blob,
            media_type=media_type,
            raw=None if raw is None else scrub(raw),
            meta=None if answer.meta is None else scrub(json.dumps(answer.meta)),
            error=None if error is None else scrub(error),
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
            self.blobs.mkdir(exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_bytes(data)
            partial.replace(path)
        return name


def _scrubbed(data: bytes) -> bytes:
    text = data.decode()
    clean = scrub(text)
    return data if clean is text else clean.encode()
