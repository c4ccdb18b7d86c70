"""2,000 chat calls at 200 ms and 64 in flight: genrec-eval beside a bare loop and inspect-ai.

    python benchmarks/async_engine.py [--calls 2000] [--inspect-python PATH]

Each contestant runs in a process of its own against one server (`genrec-eval serve`, model `echo`), in turn.
Times cover the work, not the imports; for genrec-eval the calling is told apart from scoring and the report.
inspect-ai may live in another environment (--inspect-python); it is left out, and that is said, when it is
not installed.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT = 64
LATENCY = 0.2


def bare(url: str, calls: int) -> None:
    """A loop over the openai client, with a semaphore and nothing else."""
    import asyncio

    from chat_load import prompt
    from openai import AsyncOpenAI

    async def run() -> None:
        client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
        gate = asyncio.Semaphore(LIMIT)

        async def one(number: int) -> None:
            async with gate:
                reply = await client.chat.completions.create(
                    model="echo", messages=[{"role": "user", "content": prompt(number)}]
                )
            assert reply.choices[0].message.content == prompt(number)

        await asyncio.gather(*map(one, range(calls)))

    asyncio.run(run())


def ours(url: str, calls: int) -> float:
    """The whole of `genrec-eval run`: plan, play, journal, records, scores, estimates, report.

    Returns the seconds of play alone, from the first call to the last answer.
    """
    import genrec_eval

    with tempfile.TemporaryDirectory() as folder:
        run = genrec_eval.run(
            {
                "name": "chat-load",
                "models": {
                    "echo": {"adapter": "openai", "base_url": url, "model": "echo", "api_key": "none"}
                },
                "scenarios": {
                    "load": {
                        "scenario": f"{HERE / 'chat_load.py'}:ChatLoad",
                        "options": {"calls": calls},
                    }
                },
                "engine": {"limit": LIMIT},
            },
            out=Path(folder) / "run",
            quiet=True,
        )
        assert run.exit_code == 0, run
        assert run.results.estimates[0].value == 1.0
        return float(run.directory.run["play"][0]["seconds"])


def inspect(url: str, calls: int) -> None:
    """inspect-ai with the same limit: generate, score by inclusion, write its log."""
    from chat_load import prompt
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.model import get_model
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate

    with tempfile.TemporaryDirectory() as folder:
        model = get_model("openai/echo", base_url=url, api_key="none", responses_api=False)
        samples = [Sample(input=prompt(number), target=f"case {number}:") for number in range(calls)]
        (log,) = eval(
            Task(dataset=samples, solver=generate(), scorer=includes()),
            model=model,
            max_connections=LIMIT,
            max_samples=LIMIT,
            log_dir=folder,
            display="none",
        )
        assert log.status == "success", log.error
        assert log.results is not None
        assert log.results.scores[0].metrics["accuracy"].value == 1.0


Contestant = Callable[[str, int], float | None]
CONTESTANTS: dict[str, Contestant] = {"bare": bare, "genrec-eval": ours, "inspect-ai": inspect}


def measure(name: str, url: str, calls: int) -> None:
    """Run one contestant in this process and print its times as JSON."""
    sys.path.insert(0, str(HERE))
    if name == "inspect-ai":
        import inspect_ai.scorer
        import inspect_ai.solver  # noqa: F401
    else:
        import openai  # noqa: F401
        import pandas  # noqa: F401

        import genrec_eval.audit.audit
        import genrec_eval.engine.play
        import genrec_eval.reporting.html  # noqa: F401
    wall, cpu = time.perf_counter(), time.process_time()
    calling = CONTESTANTS[name](url, calls)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"wall": wall, "calling": calling or wall, "cpu": cpu}))


def main() -> None:
    """Serve, run the contestants in turn, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--inspect-python", default=sys.executable)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        return measure(*arguments.one, arguments.calls)

    command = [sys.executable, "-m", "genrec_eval.cli.main", "serve", "popularity", "--port", "0"]
    server = subprocess.Popen([*command, "--latency", f"{LATENCY}s"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found is not None, line
        url = f"{found[0]}/v1"
        ideal = arguments.calls / LIMIT * LATENCY
        print(f"{arguments.calls:,} calls, {LATENCY * 1e3:.0f} ms, {LIMIT} in flight: ideal {ideal:.2f} s\n")
        print("contestant    round   wall s   calling s   of ideal   CPU ms a call")
        for turn in range(arguments.rounds):
            for name in CONTESTANTS:
                python = arguments.inspect_python if name == "inspect-ai" else sys.executable
                words = [python, __file__, "--one", name, url, "--calls", str(arguments.calls)]
                done = subprocess.run(words, capture_output=True, text=True)
                if done.returncode:
                    why = (done.stderr.strip() or "no such environment").splitlines()[-1][:200]
                    print(f"{name:<12}  {turn + 1:>5}   not run: {why}")
                    continue
                took = json.loads(done.stdout.strip().splitlines()[-1])
                cpu = took["cpu"] / arguments.calls * 1e3
                times = f"{took['wall']:6.2f}   {took['calling']:9.2f}"
                print(f"{name:<12}  {turn + 1:>5}   {times}   {ideal / took['calling']:8.2f}   {cpu:13.2f}")
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    main()
