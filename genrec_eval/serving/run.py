"""Running the server: in the foreground for people, in a thread for tests."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

_BACKLOG = 2048
_KEEP_ALIVE = 75  # seconds; a short one closes pooled connections just as a client sends on them
_GRACE = 1  # seconds that running answers get at shutdown; stalled ones would never end


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    url: str
    """``http://host:port``; the base URL of OpenAI clients is this with ``/v1``."""


def listen(host: str, port: int) -> socket.socket:
    """Bind a listening socket.

    Raises
    ------
    UsageError
        When the port is taken or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's delay off only on sockets that name TCP: without it an answer takes 40 ms more
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {port} of {host} is in use; stop what listens there or choose another with --port"
            ) from error
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return made


def make_server(app: Starlette) -> uvicorn.Server:
    """A uvicorn server with neither access log nor chatter."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_level="critical",
            lifespan="off",
            ws="none",
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
        )
    )


def address(made: socket.socket) -> str:
    """``http://host:port`` of a listening socket."""
    host, port = made.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def serve_in_thread(*arguments: Any, **options: Any) -> Iterator[Served]:
    """Serve on a free port of 127.0.0.1 for the length of a ``with`` block.

    Parameters are those of :func:`genrec_eval.serving.app.create_app`.

    >>> with serve_in_thread() as server:
    ...     import httpx2
    ...     httpx2.get(server.url + "/health").json()["status"]
    'ok'
    """
    from genrec_eval.serving.app import create_app

    app = create_app(*arguments, **options)
    made = listen("127.0.0.1", 0)
    server = make_server(app)
    thread = threading.Thread(target=server.run, args=([made],), name="genrec-eval serve", daemon=True)
    thread.start()
    try:
        yield Served(address(made))
    finally:
        server.should_exit = True
        thread.join(timeout=_GRACE + 5)
