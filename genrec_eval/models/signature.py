"""How a person's function wants to be called: by position, by name, or with the typed request."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.protocol.requests import ChatRequest, Kind, RankRequest, Request

Seed = Callable[[], int]
"""Draws the seed of a call; most functions never ask."""
Calling = Callable[[Request, Seed], tuple[tuple[Any, ...], dict[str, Any]]]
"""Request and seed → positional and keyword arguments."""


_VALUES: dict[str, Callable[[RankRequest, Seed], Any]] = {
    "user": lambda request, seed: request.user,
    "history": lambda request, seed: list(request.history),
    "k": lambda request, seed: request.k,
    "candidates": lambda request, seed: None if request.candidates is None else list(request.candidates),
    "profile": lambda request, seed: dict(request.profile),
    "wording": lambda request, seed: request.wording,
    "seed": lambda request, seed: seed(),
}
NAMES = tuple(_VALUES)
"""Parameters of a rank function that are filled by name."""


def with_options(function: Callable[..., Any], options: Mapping[str, Any], label: str) -> None:
    """Check that ``options`` are parameters of ``function``; raise a UsageError otherwise."""
    parameters = parameters_of(function)
    if parameters is None or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    for name in options:
        if name not in parameters:
            raise UsageError(
                f"{label} takes no option '{name}'{did_you_mean(name, parameters)}"
                f" (its parameters: {', '.join(parameters) or 'none'})"
            )


def calling(function: Callable[..., Any], kind: Kind, taken: Mapping[str, Any], label: str) -> Calling:
    """Decide once how ``function`` is called.

    Parameters
    ----------
    taken
        Options that are bound by keyword already.

    Raises
    ------
    UsageError
        When the parameters fit none of the forms.
    """
    parameters = parameters_of(function)
    if parameters is None:  # a builtin without a signature
        return _positional if kind == "rank" else _typed(False)
    free = {name: p for name, p in parameters.items() if name not in taken}
    spread = any(p.kind is p.VAR_POSITIONAL for p in free.values())
    named = {n: p for n, p in free.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    if kind == "rank" and named and all(name in NAMES for name in named if _required(named[name])):
        wanted = tuple(name for name in named if name in NAMES)
        if (
            wanted
            and not spread
            and all(named[n].kind is not inspect.Parameter.POSITIONAL_ONLY for n in wanted)
        ):
            return _by_name(wanted)
    seeded = "seed" in named
    required = [name for name, p in named.items() if _required(p) and name != "seed"]
    if kind == "chat" and required == ["messages"]:
        return _messages(seeded)
    if len(required) == 1 and named[required[0]].kind is not inspect.Parameter.KEYWORD_ONLY:
        return _typed(seeded)
    if kind == "rank" and (len(required) == 3 or (spread and len(required) < 3)):
        return _positional
    form = "(user, history, k)" if kind == "rank" else "one parameter, the request"
    form += ", or (messages)" if kind == "chat" else ""
    extra = f"; any of {', '.join(NAMES)} may be asked for by name" if kind == "rank" else ""
    raise UsageError(f"{label} takes ({', '.join(free)}); to answer {kind} it must take {form}{extra}")


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """Parameters by name, without ``self``; None for builtins that do not tell."""
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None


def _required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty


def _positional(request: Request, seed: Seed) -> tuple[tuple[Any, ...], dict[str, Any]]:
    assert isinstance(request, RankRequest)
    return (request.user, list(request.history), request.k), {}


def _typed(seeded: bool) -> Calling:
    return lambda request, seed: ((request,), {"seed": seed()} if seeded else {})


def _messages(seeded: bool) -> Calling:
    """The dicts that chat libraries take: ``[{"role": "user", "content": …}]``."""

    def arguments(request: Request, seed: Seed) -> tuple[tuple[Any, ...], dict[str, Any]]:
        assert isinstance(request, ChatRequest)
        messages = [message.to_wire() for message in request.messages]
        return (), {"messages": messages, **({"seed": seed()} if seeded else {})}

    return arguments


def _by_name(wanted: tuple[str, ...]) -> Calling:
    def arguments(request: Request, seed: Seed) -> tuple[tuple[Any, ...], dict[str, Any]]:
        assert isinstance(request, RankRequest)
        return (), {name: _VALUES[name](request, seed) for name in wanted}

    return arguments
