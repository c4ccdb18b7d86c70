"""Run blocking code of strangers beside the event loop, in threads that can be left behind.

``ThreadPoolExecutor`` waits for its threads when the interpreter ends, so one call that hangs
would keep the whole program alive. Daemon threads do not.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from genrec_eval.protocol.model import Fatal

ABANDONED = 8
"""Calls that may hang at the same time before the model counts as broken."""


class DaemonCalls:
    """Runs each call in a daemon thread of its own; a cancelled wait leaves the thread to itself."""

    def __init__(self) -> None:
        self._abandoned = 0
        self._lock = threading.Lock()

    async def run(self, function: Callable[[], Any]) -> Any:
        """Return or raise what ``function`` does.

        Raises
        ------
        Fatal
            When too many earlier calls were given up and still have not come back.
        """
        if self._abandoned >= ABANDONED:
            raise Fatal(
                f"{self._abandoned} calls of the model timed out and never came back;"
                " raise 'timeout' if it is slow rather than stuck"
            )
        loop = asyncio.get_running_loop()
        done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
        state = {"left": False, "ended": False}

        def deliver(outcome: tuple[Any, BaseException | None]) -> None:
            if not done.done():
                done.set_result(outcome)

        def work() -> None:
            try:
                outcome: tuple[Any, BaseException | None] = (function(), None)
            except BaseException as error:  # also SystemExit: the model must not end the run
                outcome = (None, error)
            with self._lock:
                state["ended"] = True
                if state["left"]:
                    self._abandoned -= 1
                    return
            try:
                loop.call_soon_threadsafe(deliver, outcome)
            except RuntimeError:
                return  # the loop was closed meanwhile: nobody waits any more

        threading.Thread(target=work, daemon=True, name="genrec-eval model").start()
        try:
            result, error = await done
        except asyncio.CancelledError:
            with self._lock:
                state["left"] = True
                if not state["ended"]:
                    self._abandoned += 1
            raise
        # Never the user's interrupt, never our own cancellation: those do not come out of this thread. And
        # a StopIteration would end a coroutine without a word on where it came from.
        if isinstance(error, StopIteration) or not isinstance(error, Exception | SystemExit | None):
            raise RuntimeError(f"the model raised {type(error).__name__}") from error
        if error is not None:
            raise error
        return result
