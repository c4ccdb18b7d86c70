"""The server's application: routes over the services, with key, log and faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from genrec_eval.reference.base import REFERENCE
from genrec_eval.serving.author import Author
from genrec_eval.serving.chat import ChatService, Speaker
from genrec_eval.serving.exchange import ApiError, CallLog, Endpoint, Exchanges, Handler, json_reply
from genrec_eval.serving.faults import Faults
from genrec_eval.serving.pixels import PIXELS, generate

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Training

ECHO = "echo"
"""Model id that answers with the last user message: the cheapest there is, for load tests."""


def create_app(
    training: Training | None = None,
    models: Sequence[str] = ("popularity",),
    faults: Faults | None = None,
    *,
    seed: int = 0,
    api_key: str | None = None,
    log: Path | None = None,
) -> Starlette:
    """Make the ASGI application.

    Parameters
    ----------
    training
        What the reference models learn from; without it only those that learn nothing (most writers and
        judges), ``echo`` and images are served.
    models
        Names of reference models; the first recommender is the default of ``/rank``.
    faults
        What goes wrong on purpose; nothing by default.
    seed
        Seed of models that draw.
    api_key
        Key that calls must bear as ``Authorization: Bearer``.
    log
        File that gets one JSON line per request received and one per answer completed.

    Raises
    ------
    UsageError
        When a model is unknown or the log cannot be written.
    """
    exchanges = Exchanges(faults or Faults(), api_key, CallLog(log) if log else None)
    speakers: dict[str, Speaker] = {}
    posts: dict[str, Handler] = {}
    made = {name: REFERENCE.get(name) for name in models}
    recommenders = [name for name, one in made.items() if "chat" not in one.kinds]
    if training is not None and recommenders:
        from genrec_eval.serving.catalogue import Catalogue
        from genrec_eval.serving.persona import Persona
        from genrec_eval.serving.ranking import RankService
        from genrec_eval.serving.titles import Titles

        catalogue, titles = Catalogue(training, recommenders, seed), Titles(training.item_table)
        speakers |= {name: Persona(catalogue, titles, model) for name, model in catalogue.models.items()}
        service = RankService(catalogue)
        posts |= {"/rank": service.rank, "/rate": service.rate}
    speakers |= {
        name: Author(one(training, seed=seed))
        for name, one in made.items()
        if "chat" in one.kinds and not (one.learns and training is None)
    }
    speakers[ECHO] = lambda last, request: last
    chat = ChatService(speakers, training.digest if training else ECHO, others=(PIXELS,))
    posts = {"/v1/chat/completions": chat.complete, "/v1/images/generations": generate, **posts}
    routes = [Route(path, Endpoint(handler, exchanges), methods=["POST"]) for path, handler in posts.items()]
    for path, handler in (("/v1/models", chat.models), ("/v1/models/{id:path}", chat.model)):
        routes.append(Route(path, Endpoint(handler, exchanges, faulty=False), methods=["GET"]))
    health = Endpoint(_health(chat), exchanges, faulty=False, open_to_all=True)
    routes.append(Route("/health", health, methods=["GET"]))
    return Starlette(routes=routes, exception_handlers={HTTPException: _no_such_path})


def _health(chat: ChatService) -> Handler:
    return lambda body, scope: json_reply({"status": "ok", "models": chat.listed})


async def _no_such_path(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = "Not allowed to" if error.status_code == 405 else "Invalid URL"
    reply = ApiError(error.status_code, f"{said} ({request.method} {request.url.path})").reply()
    return Response(reply.body, reply.status, media_type="application/json")
