"""``genrec-eval serve``: reference models behind the OpenAI protocol and a JSON ranking service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.core.errors import Exit, UsageError, did_you_mean

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.registry import DatasetSpec
    from genrec_eval.serving.faults import Faults


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL",
            help="Reference models to serve; the first answers /rank. Default: popularity item-knn random.",
        ),
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            metavar="DATA",
            help="What they learn from: 'synthetic', a folder with a MovieLens data set, or a suite file,"
            " whose data they then share titles and ids with; SUITE:NAME where it has several.",
        ),
    ] = "synthetic",
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="Port; 0 for any free one.")
    ] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="Key that calls must bear; ${env:NAME} keeps it out of the process list."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Seed of the data, of the models and of the faults.")
    ] = 0,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Append a JSON line per request received and per answer completed."
        ),
    ] = None,
    latency: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Time to the first byte: 200ms, uniform:50ms-400ms or lognormal:200ms,0.5."
        ),
    ] = "0ms",
    stall: Annotated[
        float, typer.Option(metavar="RATE", min=0, max=1, help="Share of calls never answered.")
    ] = 0,
    rate_limit: Annotated[
        float | None, typer.Option(metavar="RPS", help="Most calls a second; 429 with Retry-After beyond.")
    ] = None,
    error_429: Annotated[
        float,
        typer.Option("--error-429", metavar="RATE", min=0, max=1, help="Share of calls answered with 429."),
    ] = 0,
    error_5xx: Annotated[
        float,
        typer.Option(
            "--error-5xx", metavar="RATE", min=0, max=1, help="Share of calls answered with 500, 502 or 503."
        ),
    ] = 0,
    truncate: Annotated[
        float, typer.Option(metavar="RATE", min=0, max=1, help="Share of answers cut off midway.")
    ] = 0,
    malformed: Annotated[
        float, typer.Option(metavar="RATE", min=0, max=1, help="Share of answers in broken JSON.")
    ] = 0,
    retry_after: Annotated[
        float, typer.Option(metavar="SECONDS", help="Wait that a 429 of --error-429 asks for.")
    ] = 1.0,
    max_faults_per_request: Annotated[
        int | None,
        typer.Option(metavar="N", help="Most faults of one request, so that its retries end; no bound."),
    ] = None,
) -> int:
    """Serve reference models over HTTP, with faults on request: a dry run without a bill.

    OpenAI-compatible chat at /v1/chat/completions (each reference model, writers and judges included, and
    'echo', which repeats the last user message), images at /v1/images/generations (model 'pixels'), and a
    JSON ranking service at POST /rank and /rate. Ctrl-C stops it.

    The models learn from all of the data, the part that a suite tests on included: the figures of such a
    run show that everything works, not how good a recommender is.
    """
    from genrec_eval.core.secrets import expand
    from genrec_eval.serving.app import create_app
    from genrec_eval.serving.catalogue import train_on
    from genrec_eval.serving.run import address, listen, make_server

    names = models or ["popularity", "item-knn", "random"]
    faults = _faults(
        seed=seed,
        latency=latency,
        stall=stall,
        rate_limit=rate_limit,
        error_429=error_429,
        error_5xx=error_5xx,
        truncate=truncate,
        malformed=malformed,
        retry_after=retry_after,
        max_faults_per_request=max_faults_per_request,
    )
    key = None if api_key is None else expand(api_key)
    # Bound before the data is read: a port in use is told at once.
    made = listen(host, port)
    try:
        dataset = _dataset(data, seed)
        app = create_app(train_on(dataset, seed), names, faults, seed=seed, api_key=key, log=log)
        typer.echo(
            f"serving {', '.join(names)} and echo on {dataset.name} ({len(dataset.items):,} items)"
            f" at {address(made)}/v1 and {address(made)}/rank; Ctrl-C stops"
        )
        typer.echo(
            "they have learnt from all interactions, those that a split would hold out too: for trying things"
            " out, not for figures"
        )
        typer.echo(_snippet(names[0], address(made), api_key))
        make_server(app).run([made])
    except KeyboardInterrupt:
        pass  # uvicorn has finished what it was doing and hands the signal on
    finally:
        made.close()
    return Exit.PASS


def _faults(**options: object) -> Faults:
    from pydantic import ValidationError

    from genrec_eval.serving.faults import Faults

    try:
        return Faults.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        flag = f"--{str(first['loc'][0]).replace('_', '-')}: " if first["loc"] else ""
        raise UsageError(f"{flag}{first['msg']}") from None


def _dataset(data: str, seed: int) -> Dataset:
    from genrec_eval.data.registry import DATASETS

    if data == "synthetic":
        return DATASETS.get("synthetic")().load(Path.cwd(), seed)
    if Path(data).is_dir():
        return DATASETS.get("movielens")(path=data).load(Path.cwd(), seed)
    suite, _, name = data.rpartition(":") if not Path(data).is_file() and ":" in data else (data, "", "")
    if not Path(suite).is_file():
        raise UsageError(
            f"--data is 'synthetic', a folder with a MovieLens data set or a suite file; there is no '{data}'"
        )
    return _of_suite(suite, name)


def _of_suite(path: str, name: str) -> Dataset:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.suite.load import resolve

    loaded = resolve(path)
    entries = loaded.suite.data
    if not name and len(entries) == 1:
        name = next(iter(entries))
    if name not in entries:
        said = f"has no data set '{name}'{did_you_mean(name, entries)}" if name else "has not one data set"
        raise UsageError(
            f"{path} {said}; write --data {path}:NAME with one of: {', '.join(entries) or 'none'}"
        )
    options: DatasetSpec = entries[name].options
    found = options.load(loaded.folder, loaded.suite.seed)
    if not isinstance(found, Dataset):
        raise UsageError(
            f"{path}: data set '{name}' holds {options.holds}; a model can be served on interactions"
        )
    return found


def _snippet(model: str, url: str, api_key: str | None) -> str:
    from genrec_eval.reference.base import REFERENCE

    lines = [
        "to put it into a suite:",
        "",
        "models:",
        f"  served-{model}:",
        "    adapter: openai",
        f"    model: {model}",
        f"    base_url: {url}/v1",
    ]
    if api_key is not None:
        # Never the key itself: what is printed ends up in logs.
        shown = api_key if api_key.startswith("${env:") else "${env:OPENAI_API_KEY}"
        lines.append(f"    api_key: {shown}")
    if "chat" not in REFERENCE.get(model).kinds:  # a writer or judge has nothing to rank
        lines.append("    recommender: {}")
    return "\n".join([*lines, ""])
