"""``genrec-eval list``: what there is to put into a suite, plug-ins included."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from genrec_eval.cli.console import complain, output, say
from genrec_eval.cli.explain import explain
from genrec_eval.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from genrec_eval.core.registry import Registry

Row = tuple[str, ...]
"""Name, then a cell per further column."""


class Kind(StrEnum):
    """What can be listed."""

    MODELS = "models"
    SCENARIOS = "scenarios"
    METRICS = "metrics"
    DATASETS = "datasets"
    SUITES = "suites"
    PROMPTS = "prompts"
    PRESETS = "presets"
    EVALUATE = "evaluate"


def list_(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="What to list: " + ", ".join(Kind) + ".")],
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Show everything about this one: its options, its definition."),
    ] = None,
) -> None:
    """Show what a suite can use: built in, installed as a plug-in, or shipped as a file."""
    if name is not None:
        return _one(kind, name)
    if kind is Kind.MODELS:
        _table("adapters: `adapter: NAME` in a suite", ("adapter", "what it is"), _specs(kind, "adapter"))
        heads = ("model", "answers", "what it is")
        return _table("reference models: `adapter: reference`, `model: NAME`", heads, _bundled())
    if kind is Kind.METRICS:
        return _table(None, ("metric", "better", "what it is"), _metrics())
    if kind is Kind.PRESETS:
        return _table(None, ("preset", "library", "metrics"), _presets())
    if kind is Kind.EVALUATE:
        return _scripts()
    if kind is Kind.SCENARIOS:
        return _table(None, ("scenario", "asks for", "what it is"), _scenarios())
    if kind is Kind.DATASETS:
        return _table(None, ("dataset", "what it is"), _specs(kind, "dataset"))
    return _table(None, (kind.value.removesuffix("s"), "what it is"), _files(kind))


def _registries(kind: Kind) -> list[Registry]:
    from genrec_eval.data.registry import DATASETS
    from genrec_eval.models.spec import ADAPTERS
    from genrec_eval.reference.base import REFERENCE
    from genrec_eval.scenarios.base import SCENARIOS

    if kind is Kind.METRICS:  # imports numpy
        from genrec_eval.metrics.registry import METRICS

        return [METRICS]
    return {
        Kind.MODELS: [ADAPTERS, REFERENCE],
        Kind.SCENARIOS: [SCENARIOS],
        Kind.DATASETS: [DATASETS],
    }[kind]


def _loaded(registry: Registry) -> Iterator[tuple[str, Any]]:
    for name in registry.names():
        try:
            yield name, registry.get(name)
        except UsageError as error:
            complain(f"warning: {error}")


def _specs(kind: Kind, what: str) -> Iterator[Row]:
    registry = next(one for one in _registries(kind) if one.kind == what)
    for name, cls in _loaded(registry):
        yield name, _summary(cls)


def _bundled() -> Iterator[Row]:
    for name, cls in _loaded(_registries(Kind.MODELS)[1]):
        yield name, ", ".join(sorted(cls.kinds)), _summary(cls)


def _scenarios() -> Iterator[Row]:
    for name, family in _loaded(_registries(Kind.SCENARIOS)[0]):
        yield name, family.kind, family.summary


def _metrics() -> Iterator[Row]:
    for name, family in _loaded(_registries(Kind.METRICS)[0]):
        definition = family.definition
        spelled = f"{name}@k" if definition.needs_cutoff else name
        yield spelled, "-" if definition.direction == "none" else definition.direction, definition.summary


def _scripts() -> None:
    """Our metrics for the library evaluate."""
    from genrec_eval.metrics.huggingface.offered import SCRIPTS, offered
    from genrec_eval.metrics.registry import METRICS

    rows = [(name, METRICS.get(name).definition.summary) for name in offered()]
    _table("metrics for the library evaluate", ("metric", "what it is"), rows)
    say(f'evaluate.load("{SCRIPTS}/NAME")')


def _presets() -> Iterator[Row]:
    from genrec_eval.metrics.presets import PRESETS

    for name, preset in PRESETS.items():
        yield name, preset.library, ", ".join(preset.metrics)


def _preset(name: str) -> None:
    """What each plain name means in one library."""
    from genrec_eval.metrics.presets import preset

    found = preset(name)
    rows = [*found.metrics.items(), *((name, f"cannot be had: {why}") for name, why in found.refused.items())]
    _table(found.library, ("name", "here"), rows)
    output().print(found.notes, markup=False, highlight=False)


def _summary(cls: Any) -> str:
    text = getattr(cls, "summary", None) or inspect.getdoc(cls) or ""
    return " ".join(str(text).replace("``", "").split("\n\n")[0].split())


def _files(kind: Kind) -> Iterator[Row]:
    from genrec_eval.core.yaml import plain, read_file

    for name, path in _shipped(kind).items():
        try:
            found = plain(read_file(path, path.name))
        except UsageError as error:
            complain(f"warning: {error}")
            continue
        described = found.get("description") if isinstance(found, dict) else None
        yield name, str(described or "")


def _shipped(kind: Kind) -> dict[str, Path]:
    from genrec_eval.core.content import content
    from genrec_eval.suite.merge import shipped

    if kind is Kind.SUITES:
        return shipped()
    return {path.stem: path for path in sorted((content("suites") / "prompts").glob("*.yaml"))}


def _one(kind: Kind, name: str) -> None:
    if kind in {Kind.SUITES, Kind.PROMPTS}:
        files = _shipped(kind)
        if name not in files:
            singular = kind.value.removesuffix("s")
            raise UsageError(
                f"unknown {singular} '{name}'{did_you_mean(name, files)} (known: {', '.join(files)})"
            )
        return typer.echo(files[name].read_text(encoding="utf-8"), nl=False)
    if kind is Kind.PRESETS:
        return _preset(name)
    if kind is Kind.METRICS:
        return explain(name)
    if kind is Kind.EVALUATE:
        from genrec_eval.metrics.huggingface.offered import script

        return typer.echo(str(script(name)))
    registries = _registries(kind)
    registry = next((one for one in registries if name in one.names()), registries[0])
    if kind is Kind.MODELS and name not in registry.names():
        known = [known for one in registries for known in one.names()]
        raise UsageError(f"unknown model '{name}'{did_you_mean(name, known)} (known: {', '.join(known)})")
    found = registry.get(name)
    output().print(f"{registry.kind} {name}: {_summary(found)}", markup=False, soft_wrap=True)
    return _options(getattr(found, "Options", found))


def _options(cls: Any) -> None:
    _table(None, ("key", "default", "meaning"), list(_keys(cls)))


def _keys(cls: Any, above: str = "") -> Iterator[Row]:
    """Keys with defaults and meanings; those of a mapping inside follow it, with a dot."""
    for name, field in cls.model_fields.items():
        inside = _model_in(field.annotation)
        if field.is_required():
            said = "required"
        else:
            default = field.get_default(call_default_factory=True, validated_data={})
            said = "-" if inside is not None else _written(default)
        key = above + (field.alias or name)
        yield key, said, " ".join((field.description or "").split())
        if inside is not None:
            yield from _keys(inside, f"{key}.")


def _model_in(annotation: Any) -> Any:
    """The model class of a field, also of one that may be left out; None for plain values."""
    for kind in (annotation, *get_args(annotation)):
        if hasattr(kind, "model_fields"):
            return kind
    return None


def _written(value: Any) -> str:
    """A default as a suite would write it."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(exclude_none=True)
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(child)}" for key, child in value.items()) + "}"
    if isinstance(value, tuple | list | set | frozenset):
        return "[" + ", ".join(map(_written, value)) + "]"
    return str(value)


def _table(title: str | None, heads: tuple[str, ...] | None, rows: Any) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = list(rows)
    if not rows:
        return output().print("none")
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_header=heads is not None
    )
    for index, head in enumerate(heads or ("", "")):
        table.add_column(head, no_wrap=index == 0, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return output().print(table)
