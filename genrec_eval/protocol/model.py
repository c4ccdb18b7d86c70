"""The Model protocol: what an adapter must offer, and how it reports trouble."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from genrec_eval.protocol.batch import RankBatch, RankedBatch, RateBatch, RatedBatch
from genrec_eval.protocol.requests import Kind, Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import Status


class Transient(Exception):
    """A fault that may pass; the engine backs off and asks again.

    Parameters
    ----------
    status
        ``RATE_LIMITED``, ``UNAVAILABLE`` or ``TIMEOUT``: what the record says if retries run out.
    message
        One sentence for the record.
    retry_after
        Seconds the service asked to wait.
    reached
        False when nobody was there to hear the request: no such host, connection refused.
    """

    def __init__(
        self, status: Status, message: str, retry_after: float | None = None, *, reached: bool = True
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.reached = reached


class Fatal(Exception):
    """A fault of the whole model (bad key, unknown model): asking other cases is useless."""


@dataclass(frozen=True, slots=True)
class Call:
    """What the engine tells an adapter about the exchange it is asked for."""

    repeat: int = 0
    """Index of the independent sample; adapters that take a seed derive it from this."""
    timeout: float = 60.0
    """Seconds after which the engine gives up; adapters may pass it on to their client."""


class Model(ABC):
    """A system under test that answers one request at a time.

    The engine owns retries, limits, time-outs, caching and journalling; an adapter does one honest
    attempt per :meth:`answer` and raises :class:`Transient` or :class:`Fatal`, or returns an Answer.
    """

    kinds: frozenset[Kind]
    endpoint: str = ""
    """Limits are shared by models with the same endpoint (address and account); empty for in-process."""
    concurrency: int | None = None
    """Most requests the adapter can have in flight; None when the engine's limit alone decides."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Everything that determines the answers (address, model, revision, decoding, source digest).

        JSON-serialisable; part of every cache and resume key; never holds a secret.
        """

    @abstractmethod
    async def answer(self, request: Request, call: Call) -> Answer:
        """Make one attempt at one request."""

    async def open(self) -> None:
        """Acquire connections or processes; called once inside the event loop."""

    async def close(self) -> None:
        """Release what :meth:`open` acquired."""


class BatchModel(ABC):
    """A system that answers ``rank``, ``rate`` or both for many users at once, as arrays."""

    kinds: frozenset[Kind] = frozenset({"rank"})

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """See :meth:`Model.identity`."""

    def rank(self, batch: RankBatch) -> RankedBatch:
        """Rank for every user of the batch; one row each, in the order of the batch."""
        raise NotImplementedError(f"{type(self).__name__} does not rank")

    def rate(self, batch: RateBatch) -> RatedBatch:
        """Rate every target of every user of the batch."""
        raise NotImplementedError(f"{type(self).__name__} does not rate")

    def arrange(self, users: Any, cases: Any = None) -> Any:
        """Return the order (int64 permutation) in which cases are cheapest to answer, or None.

        ``users`` is the pyarrow string array of the users of all cases that will be asked, ``cases`` that of
        the cases' ids.
        """
        return None


class Translator(ABC):
    """Answers one kind of request through another: an LLM answers ``rank`` through ``chat``.

    Both directions are pure: only the inner exchange is paid for, journalled and cached, and
    reading the answer can be redone offline.
    """

    gives: Kind
    needs: Kind

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Digest of the template, parser, settings: for provenance, not part of the call's key."""

    @abstractmethod
    def translate(self, request: Request) -> Request:
        """Turn the scenario's request into the one that is sent."""

    @abstractmethod
    def interpret(self, request: Request, answer: Answer) -> Answer:
        """Read the reply to the translated request as an answer to ``request``."""
