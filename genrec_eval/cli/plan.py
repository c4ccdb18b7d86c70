"""``genrec-eval plan``: what a suite sets out to decide, and the digest that registers it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genrec_eval.cli.console import complain, output
from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    from genrec_eval.suite.load import LoadedSuite


def plan(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="Suite file, or name of a shipped suite.")],
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a value; may be repeated."),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the plan to this file; name it as audit.plan in the suite."),
    ] = None,
) -> None:
    """Show the plan of a suite before it is run: claims, families, margins, seeds, data, cases, and a digest.

    Reads the data and prepares the cases, and asks no model. A suite that names the written file (or the
    digest) as `audit: {plan: ...}` has every run say whether it is the registered one, and where it departs.
    """
    import json

    from genrec_eval.api import load_suite
    from genrec_eval.core.registry import relative_to
    from genrec_eval.engine.plan import make_plan
    from genrec_eval.engine.progress import Progress
    from genrec_eval.engine.ready import make_ready
    from genrec_eval.engine.registration import document, planned

    loaded = load_suite(suite, sets or [])
    asked = make_plan(loaded.suite)
    with relative_to(loaded.folder):
        stages = make_ready(loaded, asked, Progress(None), build=False)
    missing = [row for row in asked.left_out if row.due]
    if missing:
        raise UsageError(f"a plan needs its data: {missing[0].reason}")
    made = document(loaded, planned(loaded, asked, stages))
    _show(loaded, made, {stage.name: stage.scenario.calls_per_case() for stage in stages})
    if write is not None:
        try:
            write.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{write} cannot be written: {error.strerror or error}") from error
        output().print(f"written to {write}", markup=False, soft_wrap=True)
    for warning in lone_families(loaded):
        complain(f"note: {warning}")


def lone_families(loaded: LoadedSuite) -> list[str]:
    """A sentence for each family with a single claim, which may be a misspelt name."""
    from genrec_eval.audit.families import sizes_of
    from genrec_eval.core.errors import did_you_mean

    sizes = sizes_of(loaded.suite.claims)
    found = []
    for index, claim in enumerate(loaded.suite.claims):
        if claim.family is not None and sizes[claim.family] == 1:
            hint = did_you_mean(claim.family, [name for name in sizes if name != claim.family])
            place = loaded.where(("claims", index, "family"))
            found.append(f"{place}: family '{claim.family}' has a single claim{hint}")
    return found


def _show(loaded: LoadedSuite, made: dict[str, Any], calls: dict[str, tuple[int, int]]) -> None:
    from rich.text import Text

    from genrec_eval.audit.families import level_words, sizes_of
    from genrec_eval.core.numbers import count
    from genrec_eval.engine.progress import each_of
    from genrec_eval.stats.multiplicity import simultaneous_level

    console, content, suite = output(), made["plan"], loaded.suite

    def say(text: str, style: str = "") -> None:
        console.print(Text(text, style))

    say(f"plan of suite '{suite.name}'", "bold")
    say(f"level: {level_words(suite.level)}, seed: {suite.seed}")
    for name, entry in content["scenarios"].items():
        data = ", ".join(f"{key} ({value[:12]})" for key, value in entry["data"].items()) or "no data"
        times = "" if entry["repeats"] == 1 else f", asked {entry['repeats']} times"
        cases = f"{count(entry['cases'])} cases{each_of(calls[name])}{times}"
        models = ", ".join(entry["models"])
        say(f"scenario {name}: {entry['scenario']} on {data}, {cases}, of {models}")
    sizes = sizes_of(suite.claims)
    for family, size in sizes.items():
        level = level_words(simultaneous_level(suite.level, size))
        say(f"family {family}: {count(size)} claim{'' if size == 1 else 's'}, each at {level}")
    for claim in suite.claims:
        against = f" against {claim.against}" if claim.against is not None else ""
        expected = "" if claim.expect == "PASS" else ", expected to FAIL"
        member = f", family {claim.family}" if claim.family is not None else ""
        say(
            f"claim: {claim.claim} ({claim.scenario}, {claim.metric}, {claim.slice}: {claim.model}{against},"
            f" {claim.rule} {claim.margin:g}{member}{expected})"
        )
    if not suite.claims:
        say("no claim: nothing is confirmed, all figures are a sweep")
    say(f"digest: {made['digest']}", "bold")
