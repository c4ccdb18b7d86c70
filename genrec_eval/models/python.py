"""The ``python`` adapter: a function, class or object is a model.

A rank function is written in one of three ways::

    def recommend(user, history, k): ...            # by position
    def recommend(history, k, candidates): ...      # any of these by name: user, history, k,
                                                    # candidates, profile, wording, seed
    def recommend(request): ...                     # the typed request

It returns a list of ids, of ``(id, score)`` pairs, ``{"items", "scores"}``, a numpy array of ids or
a :class:`~genrec_eval.protocol.responses.RankResponse`. Functions for other kinds take the typed
request and return a list of ratings, text, or image bytes. A class is built from ``options``, its
``fit(training)`` is called once when it has one, and its methods ``rank``, ``rate``, ``chat`` and
``image`` tell what it answers; without them it must be callable.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import canonical, digest
from genrec_eval.core.randomness import generator
from genrec_eval.core.registry import load_object, python_file
from genrec_eval.models import check
from genrec_eval.models.chat import ChatCapableSpec
from genrec_eval.models.signature import Calling, calling, parameters_of, with_options
from genrec_eval.models.source import file_digests, file_of, live_identity
from genrec_eval.models.spec import BuildContext
from genrec_eval.models.threads import DaemonCalls
from genrec_eval.protocol.model import BatchModel, Call, Fatal, Model, Transient
from genrec_eval.protocol.requests import Kind, RateRequest, Request
from genrec_eval.protocol.responses import (
    Answer,
    ChatResponse,
    ImageResponse,
    RankResponse,
    RateResponse,
    Response,
)
from genrec_eval.protocol.status import Status

KINDS: tuple[Kind, ...] = ("rank", "rate", "chat", "image")


class PythonSpec(ChatCapableSpec):
    """A function or class in Python."""

    adapter: Literal["python"] = "python"
    target: str = Field(description="'package.module:name', or 'file.py:name' relative to the suite.")
    options: dict[str, Any] = Field(default_factory=dict, description="Keyword arguments.")
    kinds: tuple[Kind, ...] = Field(("rank",), min_length=1, description="What a function answers.")
    batch: bool = Field(
        False, description="The function takes a RankBatch of many users and returns arrays or lists."
    )
    workers: PositiveInt = Field(
        1, description="Most calls at the same time; above 1 only for code that is safe in threads."
    )
    max_bytes: PositiveInt = Field(check.MAX_BYTES, description="Largest answer that is accepted.")

    def check(self, context: BuildContext) -> None:
        """Find the file; what is in it is seen when it is imported, for the run."""
        place = self.target.rpartition(":")[0]
        if place.endswith(".py"):
            python_file(place, context.folder)

    def build(self, context: BuildContext) -> Model | BatchModel:
        """Import the target, construct and fit it."""
        target = load_object(self.target, context.folder)
        place = self.target.rpartition(":")[0]
        named = context.folder / place if place.endswith(".py") else None
        identity = {"target": self.target, "source": file_digests(named, file_of(target))}
        return _build(target, context, self, f"'{self.target}'", identity, None)


def from_callable(target: Any, context: BuildContext, **settings: Any) -> Model | BatchModel:
    """Make a model of a function, class or object that is at hand, as in a notebook.

    Parameters
    ----------
    settings
        Keys of :class:`PythonSpec` other than ``target``.
    """
    name = getattr(target, "__qualname__", type(target).__qualname__)
    spec = PythonSpec(target=f"live:{name}", **settings)
    source, remark = live_identity(target)
    return _build(target, context, spec, f"'{name}'", {"target": name, **source}, remark)


class PythonModel(Model):
    """Calls Python code, in a thread of its own when it is not async.

    Attributes
    ----------
    remark
        Why answers cannot be reused by later runs; None when they can.
    """

    def __init__(
        self,
        functions: Mapping[Kind, tuple[Callable[..., Any], Calling]],
        identity: Mapping[str, Any],
        *,
        seed: int,
        workers: int = 1,
        max_bytes: int = check.MAX_BYTES,
        source: Path | None = None,
        remark: str | None = None,
    ) -> None:
        self.kinds = frozenset(functions)
        self.remark = remark
        self._functions = functions
        self._identity = dict(identity)
        self._seed = seed
        self._max_bytes = max_bytes
        self._source = source
        self._threads = DaemonCalls()
        self._async = {kind for kind, (function, _) in functions.items() if _is_async(function)}
        self.concurrency = None if len(self._async) == len(functions) else workers

    def identity(self) -> dict[str, Any]:
        """Target, options, digest of the file that defines it, and of the training data it was fitted on.

        Files that this one imports are not followed.
        """
        return dict(self._identity)

    async def answer(self, request: Request, call: Call) -> Answer:
        """Call the code once; whatever it raises becomes an ``ERROR`` with its place."""
        function, arguments = self._functions[request.kind]
        try:
            args, kwargs = arguments(request, lambda: _seed(self._seed, request, call.repeat))
            if request.kind in self._async:
                result = await function(*args, **kwargs)
            else:
                result = await self._threads.run(functools.partial(function, *args, **kwargs))
                if inspect.isawaitable(result):
                    result = await result
        except (Transient, Fatal, UsageError):
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # the model's own: passed on, it would end the engine's worker in silence
            return Answer(status=Status.ERROR, error=describe(error, self._source))
        except (Exception, SystemExit) as error:
            return Answer(status=Status.ERROR, error=describe(error, self._source))
        return answer_from_result(request, result, self._max_bytes)


def answer_from_result(request: Request, result: Any, max_bytes: int = check.MAX_BYTES) -> Answer:
    """Read what a function returned as an answer to ``request``."""
    try:
        response = _response(request, result, max_bytes)
        return Answer(status=check.status_of(response), response=response)
    except check.Malformed as error:
        fault = error
    except Exception as error:  # a stranger's __iter__, __len__ or __float__
        fault = check.Malformed(f"the answer cannot be read: {describe(error)}")
    try:
        raw = result if isinstance(result, str) else check.clip(repr(result), check.RAW_LENGTH)
    except Exception:  # a stranger's __repr__
        raw = f"<{type(result).__name__}>"
    return check.malformed(fault, raw)


def describe(error: BaseException, source: Path | None = None) -> str:
    """One line: ``ValueError: the message (file.py:12)``, the innermost line of the model's own file.

    >>> describe(ValueError("no such user"))
    'ValueError: no such user'
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if source is not None and Path(frame.filename) == source]
    place = (own or [frame for frame in frames if not frame.filename.startswith(_HERE)])[-1:]
    try:
        message = " ".join(str(error).split())
    except Exception:  # a stranger's __str__
        message = "<no message>"
    where = f" ({Path(place[0].filename).name}:{place[0].lineno})" if place else ""
    return check.printable(f"{type(error).__name__}: {check.clip(message, 500)}".rstrip(": ") + where)


_HERE = str(Path(__file__).parent)


def _build(
    target: Any,
    context: BuildContext,
    spec: PythonSpec,
    label: str,
    identity: dict[str, Any],
    remark: str | None,
) -> Model | BatchModel:
    source = file_of(target)
    if inspect.isclass(target):
        with_options(target, spec.options, label)
        subject = _guarded(f"building {label}", source, lambda: target(**spec.options))
    else:
        subject = target
    if isinstance(subject, Model | BatchModel):
        return subject
    identity = {"adapter": "python", **identity, "options": spec.options}
    if not _is_json(spec.options):  # an option from a notebook may be any object
        identity |= {"options": sorted(spec.options), "unique": uuid.uuid4().hex}
        remark = remark or "answers are not reused by later runs: an option is not plain data"
    functions = _functions(subject, spec, label)  # before training, which may take long
    if hasattr(subject, "fit") and not inspect.isroutine(subject):
        if context.training is None:
            raise UsageError(f"{label} has a fit method, but its scenarios have no data to train on")
        _guarded(f"{label}.fit", source, lambda: subject.fit(context.training))
        identity["training"] = context.training.digest
    bound = {} if inspect.isclass(target) else spec.options
    if bound:
        for function in functions.values():
            with_options(function, bound, label)
        functions = {kind: functools.partial(f, **bound) for kind, f in functions.items()}
    if any("seed" in (parameters_of(f) or ()) for f in functions.values()) and "seed" not in bound:
        identity["seed"] = context.seed  # it decides the answers: under another one they are asked anew
    if spec.batch:
        from genrec_eval.models.python_batch import PythonBatchModel

        if set(functions) != {"rank"}:
            raise UsageError(f"{label}: batch works for kind rank only, not for {', '.join(functions)}")
        return PythonBatchModel(functions["rank"], identity, source=source, remark=remark)
    return PythonModel(
        {kind: (f, calling(f, kind, bound, label)) for kind, f in functions.items()},
        identity,
        seed=context.seed,
        workers=spec.workers,
        max_bytes=spec.max_bytes,
        source=source,
        remark=remark,
    )


def _functions(subject: Any, spec: PythonSpec, label: str) -> dict[Kind, Callable[..., Any]]:
    methods = (
        {} if inspect.isroutine(subject) else {k: getattr(subject, k) for k in KINDS if _has(subject, k)}
    )
    if methods:
        return methods
    if not callable(subject):
        own = [name for name in dir(type(subject)) if not name.startswith("_") and _has(subject, name)]
        known = f" (it has: {', '.join(own[:10])})" if own and type(subject).__module__ != "builtins" else ""
        raise UsageError(
            f"{label}: an object of class {type(subject).__name__} cannot be called and has none of the"
            f" methods {', '.join(KINDS)}{known}; a recommender needs rank(user, history, k)"
        )
    return dict.fromkeys(spec.kinds, subject)


def _is_json(value: Any) -> bool:
    try:
        return bool(canonical(value))
    except TypeError:
        return False


def _has(subject: Any, name: str) -> bool:
    return callable(getattr(subject, name, None))


def _guarded(what: str, source: Path | None, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(f"{what} raised {describe(error, source)}") from error


def _is_async(function: Callable[..., Any]) -> bool:
    inner = function.func if isinstance(function, functools.partial) else function
    called = inner if inspect.isroutine(inner) else type(inner).__call__
    return inspect.iscoroutinefunction(called)


def _seed(seed: int, request: Request, repeat: int) -> int:
    return int(generator(seed, "model call", digest(request.to_wire()), repeat).integers(2**31))


def _response(request: Request, result: Any, max_bytes: int) -> Response:
    if request.kind == "rank":
        if isinstance(result, RankResponse):
            checked = check.rank_response(result.items, result.scores, max_bytes)
            mentions = check.words(result.mentions, "mentions", len(checked.items))
            grounding = check.words(result.grounding, "grounding", len(checked.items))
            return replace(checked, mentions=mentions, grounding=grounding)
        if isinstance(result, Mapping):
            if "items" not in result:
                keys = check.clip(", ".join(map(str, result)), 200)
                raise check.Malformed(f"the answer has no 'items' (its keys: {keys or 'none'})")
            return check.rank_response(result["items"], result.get("scores"), max_bytes)
        if isinstance(result, list | tuple) and result and all(map(_is_pair, result)):
            return check.rank_response([pair[0] for pair in result], [pair[1] for pair in result], max_bytes)
        return check.rank_response(result, None, max_bytes)
    if isinstance(request, RateRequest):
        return check.rate_response(result.ratings if isinstance(result, RateResponse) else result, request)
    if request.kind == "chat":
        if isinstance(result, ChatResponse):
            logprobs = None
            if result.logprobs is not None:
                logprobs = [(token.token, token.logprob, token.top) for token in result.logprobs]
            return check.chat_response(result.text, result.finish_reason, logprobs, max_bytes)
        return check.chat_response(result, None, None, max_bytes)
    if isinstance(result, ImageResponse):
        return check.image_response(result.image.data, result.image.media_type, max_bytes)
    return check.image_response(result, None, max_bytes)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2
