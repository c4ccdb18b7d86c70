"""One child process that answers one line at a time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from genrec_eval.models.check import Malformed, clip, decode, printable
from genrec_eval.protocol.status import Status

LAST_WORDS = 2_000
PATIENCE = 2.0
"""Seconds a process may take to end after its standard input did."""


class Died(Exception):
    """The process ended, or could not be started; the message says how."""


class OutOfStep(Exception):
    """The process wrote something that is not the answer to the question.

    Parameters
    ----------
    line
        The beginning of what it wrote.
    """

    def __init__(self, message: str, line: bytes, status: Status = Status.INVALID) -> None:
        super().__init__(message)
        self.line = line
        self.status = status


class Worker:
    """Starts its process when there is something to ask, and again after it died.

    An answer is never matched to another request: a process that is not exactly in step after an
    exchange (cancelled, timed out, unreadable line, wrong id, more lines than questions) is killed.
    """

    def __init__(
        self, command: tuple[str, ...], folder: Path, env: Mapping[str, str], max_bytes: int
    ) -> None:
        self.first: float | None = None
        self._command, self._folder, self._max_bytes = command, folder, max_bytes
        self._env = {**os.environ, **env}
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None
        self._last_words = b""
        self._number = 0

    async def exchange(self, wire: dict[str, Any]) -> tuple[Any, bytes]:
        """Write one request; return the JSON that answers it, decoded and as the line it was."""
        import orjson

        in_step = False
        try:
            process = await self._started()
            assert process.stdin is not None
            assert process.stdout is not None
            self._number += 1
            try:
                process.stdin.write(orjson.dumps({"id": self._number, "request": wire}) + b"\n")
                await process.stdin.drain()
                line = await process.stdout.readuntil(b"\n")
            except (BrokenPipeError, ConnectionResetError, asyncio.IncompleteReadError):
                raise Died(await self._obituary()) from None
            except asyncio.LimitOverrunError:
                raise OutOfStep(
                    f"the answer is larger than {self._max_bytes:,} bytes (max_bytes)", b"", Status.OVERSIZED
                ) from None
            self.first = time.time()
            answer = self._decode(line)
            in_step = True
            return answer, line
        finally:
            if not in_step:
                await self._kill()

    async def stop(self) -> None:
        """End the process: close its standard input, and kill it when it stays."""
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), PATIENCE)
        await self._kill()

    def _decode(self, line: bytes) -> Any:
        try:
            answer = decode(line)
        except Malformed:
            shown = clip(printable(line[:400].decode("utf-8", "replace").strip()), 80)
            raise OutOfStep(
                f"the process wrote a line that is not JSON: {shown!r}; print messages to standard error",
                line,
            ) from None
        found = answer.get("id") if isinstance(answer, dict) else None
        if found != self._number or isinstance(found, bool):
            shown = (
                clip(repr(found), 40) if isinstance(found, str | int | float | None) else "that is no number"
            )
            raise OutOfStep(f"the process answered id {shown} to the question with id {self._number}", line)
        return answer

    async def _started(self) -> asyncio.subprocess.Process:
        process = self._process
        if process is not None and process.returncode is None:
            return process
        await self._kill()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=self._folder,
                env=self._env,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=self._max_bytes,
                start_new_session=True,  # Ctrl-C is ours to handle, and its own children end with it
                preexec_fn=_die_with_parent(),
            )
        except (OSError, ValueError) as error:
            raise Died(f"'{self._command[0]}' cannot be started: {error}") from None
        self._process, self._last_words = process, b""
        assert process.stderr is not None
        self._drain = asyncio.create_task(self._listen(process.stderr))
        return process

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        while block := await stream.read(65536):
            self._last_words = (self._last_words + block)[-LAST_WORDS:]

    async def _obituary(self) -> str:
        process = self._process
        assert process is not None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), PATIENCE)
        if self._drain is not None:
            await asyncio.wait([self._drain], timeout=0.2)
        code = process.returncode
        name = Path(self._command[0]).name
        if code is None:
            how = "closed its standard output"
        elif code < 0:
            how = f"was killed by {signal.Signals(-code).name}"
        else:
            how = f"exited with code {code}"
        words = " ".join(printable(self._last_words.decode("utf-8", "replace")).split())
        tail = words if len(words) <= 400 else "…" + words[-400:]
        return f"'{name}' {how}" + (f"; its last words: {tail}" if tail else "")

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        drain, self._drain = self._drain, None
        # Shielded: a cancelled exchange must still reap its child.
        await asyncio.shield(_reap(process, drain))


async def _reap(process: asyncio.subprocess.Process, drain: asyncio.Task[None] | None) -> None:
    try:
        await asyncio.wait_for(_ended(process), PATIENCE)
    except TimeoutError:  # a grandchild that left the group holds the pipe: let go of our end
        getattr(process, "_transport").close()  # noqa: B009 - asyncio offers no public way
    if drain is not None:
        drain.cancel()
        await asyncio.wait([drain])


async def _ended(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    # asyncio calls a process ended only when its pipes are, and a pipe too full to be read stays open
    while await process.stdout.read(1 << 16):
        pass
    await process.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """What a child does first on Linux: ask to be killed when its parent dies, even by kill -9."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None

    def arrange() -> None:
        prctl(1, signal.SIGKILL)  # 1 = PR_SET_PDEATHSIG

    return arrange
