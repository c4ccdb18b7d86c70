"""``genrec-eval schema``: the JSON Schema of suites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genrec_eval.cli.console import complain


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")
    ] = None,
) -> None:
    """Print the JSON Schema of suite files, with the kinds that plug-ins add.

    Editors with a YAML language server use it when a suite starts with the line
    `# yaml-language-server: $schema=suite.schema.json`.
    """
    import json

    from genrec_eval.suite.json_schema import suite_schema

    made, broken = suite_schema()
    text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
    for fault in broken:
        complain(f"warning: left out: {fault}")
