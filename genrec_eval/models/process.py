"""The ``process`` adapter: a program in any language is a model.

The program reads one JSON object per line from its standard input and writes one per line to its
standard output, in the same order::

    {"id": 1, "request": {"kind": "rank", "user": "u1", "history": ["a"], "k": 10}}
    {"id": 1, "items": ["b", "c"], "scores": [0.9, 0.4]}

or ``{"id": 1, "error": "why not"}``. It must flush each line, and print anything else to standard
error. It is started once per worker, answers one request at a time, and should end when its
standard input ends; where the platform allows (Linux) it is killed when the evaluation dies.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.fingerprint import digest_file
from genrec_eval.core.secrets import scrub
from genrec_eval.models import check
from genrec_eval.models.chat import ChatCapableSpec
from genrec_eval.models.process_worker import Died, OutOfStep, Worker
from genrec_eval.models.spec import BuildContext
from genrec_eval.models.transport import expanded, has_reference
from genrec_eval.protocol.model import Call, Fatal, Model, Transient
from genrec_eval.protocol.requests import Kind, Request
from genrec_eval.protocol.responses import Answer
from genrec_eval.protocol.status import Status


class ProcessSpec(ChatCapableSpec):
    """A program that talks over standard input and output."""

    adapter: Literal["process"] = "process"
    command: tuple[str, ...] = Field(
        min_length=1, description="Program and arguments, never through a shell; run in the suite's folder."
    )
    env: dict[str, str] = Field(
        default_factory=dict, description="More environment variables; values may hold ${env:NAME}."
    )
    kinds: tuple[Kind, ...] = Field(("rank",), min_length=1, description="What the program answers.")
    workers: PositiveInt = Field(1, description="Processes to run side by side.")
    revision: str | None = Field(None, description="Version of the program; part of the cache key.")
    max_bytes: PositiveInt = Field(check.MAX_BYTES, description="Longest line that is accepted.")
    max_deaths: PositiveInt = Field(
        20, description="Deaths in a row, without an answer between, after which the model is given up."
    )

    def check(self, context: BuildContext) -> None:
        """Find the program."""
        self._program(context)

    def build(self, context: BuildContext) -> ProcessModel:
        """Find the program; it is started when the run begins."""
        found = self._program(context)
        env = {key: expanded(text, f"env: {key}", context.name) for key, text in self.env.items()}
        return ProcessModel(self, (found, *self.command[1:]), context.folder, env)

    def _program(self, context: BuildContext) -> str:
        program = self.command[0]
        local = context.folder / program
        found = str(local.resolve()) if "/" in program and local.is_file() else shutil.which(program)
        if found is None:
            near = did_you_mean(Path(program).name, [path.name for path in local.parent.glob("*")])
            raise UsageError(
                f"model '{context.name}': command not found: '{program}'{near};"
                f" it must be on PATH or a file below {context.folder}"
            )
        if shutil.which(found) is None:
            raise UsageError(f"model '{context.name}': {found} may not be executed; chmod +x would allow it")
        return found


class ProcessModel(Model):
    """Keeps worker processes and asks each of them one thing at a time."""

    def __init__(
        self, spec: ProcessSpec, command: tuple[str, ...], folder: Path, env: dict[str, str]
    ) -> None:
        self.kinds = frozenset(spec.kinds)
        self.concurrency = spec.workers
        self._spec = spec
        self._command = command
        self._folder = folder
        self._env = env
        self._idle: Any = None
        self._workers: list[Worker] = []
        self._deaths = 0
        # Programs change while their command does not: whatever file the command names is hashed.
        files = {part: folder / part for part in spec.command if (folder / part).is_file()}
        self._identity = {
            "adapter": "process",
            "command": list(spec.command),
            "files": {part: digest_file(path) for part, path in sorted(files.items())},
            "env": {
                key: text if has_reference(text) else hashlib.sha256(text.encode()).hexdigest()
                for key, text in sorted(spec.env.items())
            },
            "revision": spec.revision,
        }

    def identity(self) -> dict[str, Any]:
        """Command, digests of the files it names, and revision."""
        return dict(self._identity)

    async def open(self) -> None:
        """Make the workers; each starts its process when it is first asked."""
        import asyncio

        self._idle = asyncio.LifoQueue()
        for _ in range(self._spec.workers):
            worker = Worker(self._command, self._folder, self._env, self._spec.max_bytes)
            self._workers.append(worker)
            self._idle.put_nowait(worker)

    async def close(self) -> None:
        """End the processes."""
        import asyncio

        await asyncio.gather(*(worker.stop() for worker in self._workers))
        self._workers.clear()

    async def answer(self, request: Request, call: Call) -> Answer:
        """Ask the next idle worker once; whatever leaves it out of step ends its process."""
        assert self._idle is not None, "open() comes first"
        worker: Worker = await self._idle.get()
        try:
            try:
                payload, line = await worker.exchange(request.to_wire())
            except Died as death:
                self._deaths += 1
                sentence = scrub(str(death))
                if self._deaths >= self._spec.max_deaths:
                    raise Fatal(
                        f"{sentence}; that was death {self._deaths} in a row without an answer"
                    ) from None
                raise Transient(Status.UNAVAILABLE, sentence) from None
            except OutOfStep as error:
                return check.malformed(check.Malformed(str(error), error.status), error.line)
            self._deaths = 0
            try:
                return check.answer_from_payload(request, payload, self._spec.max_bytes, worker.first)
            except check.Malformed as error:
                return check.malformed(error, line, worker.first)
        finally:
            self._idle.put_nowait(worker)
