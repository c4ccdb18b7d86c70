"""``genrec-eval validate``: is this suite right, and what would it run?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.cli.console import complain, output
from genrec_eval.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from genrec_eval.suite.load import LoadedSuite
    from genrec_eval.suite.schema import Judge


def validate(
    suites: Annotated[
        list[str], typer.Argument(metavar="SUITE", help="Suite files, or names of shipped suites.")
    ],
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a value; may be repeated."),
    ] = None,
) -> int:
    """Check suites and show what they would run. Asks no model and reads no data."""
    from genrec_eval.cli.plan import lone_families
    from genrec_eval.suite.load import check_metrics, check_prompts, missing_environment, resolve

    console = output()
    failed = False
    for source in suites:
        try:
            loaded = resolve(source, sets or [])
            check_metrics(loaded)
            check_prompts(loaded)
        except UsageError as error:
            failed = True
            complain(f"error: {error}")
            continue
        _show(console, loaded)
        for warning in missing_environment(loaded):
            complain(f"warning: {warning}")
        for note in lone_families(loaded):
            complain(f"note: {note}")
    return Exit.USAGE if failed else Exit.PASS


def _show(console: Console, loaded: LoadedSuite) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from genrec_eval.audit.families import level_words, sizes_of
    from genrec_eval.stats.multiplicity import simultaneous_level

    suite = loaded.suite
    console.print(Text.assemble((f"{loaded.source}", "bold"), f": suite '{suite.name}' is valid"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", overflow="fold")
    table.add_column("adapter", overflow="fold")
    for name, play in suite.scenarios.items():
        about = play.scenario + (f" on {play.data}" if play.data else "")
        table.add_column(Text(name if about == name else f"{name}\n{about}"), justify="center")
    for name in suite.models:
        marks = ["yes" if suite.takes_part(name, scenario) else "-" for scenario in suite.scenarios]
        table.add_row(Text(name), Text(str(loaded.resolved["models"][name]["adapter"])), *marks)
    console.print(table)
    for name, data in suite.data.items():
        changed = data.options.model_dump(exclude_defaults=True)
        options = ", ".join(f"{key}: {value}" for key, value in changed.items())
        console.print(Text(f"data set {name}: {data.dataset}{f' ({options})' if options else ''}"))
    for name, judge in suite.judges.items():
        policies = ", ".join(f"{key}: {value}" for key, value in _policies(judge).items())
        console.print(
            Text(f"judge {name}: {loaded.resolved['judges'][name]['model']['adapter']}, {policies}")
        )
    for scenario, play in suite.scenarios.items():
        for asked in play.judging:
            about = f"{asked.rubric}, {asked.task}" + (f" against {asked.against}" if asked.against else "")
            most = "" if asked.limit is None else f", at most {asked.limit} cases of each model"
            console.print(Text(f"judged in {scenario} by {', '.join(asked.panel)}: {about}{most}"))
    for family, size in sizes_of(suite.claims).items():
        level = level_words(simultaneous_level(suite.level, size))
        console.print(Text(f"family {family}: {size} claim{'' if size == 1 else 's'}, each at {level}"))
    for claim in suite.claims:
        member = "" if claim.family is None else f", family {claim.family}"
        against = f" against {claim.against}" if claim.rule in {"better_by", "not_worse_by", "within"} else ""
        expected = "" if claim.expect == "PASS" else ", expected to FAIL"
        console.print(
            Text(
                f"claim: {claim.claim} ({claim.scenario}, {claim.metric}, {claim.slice}: "
                f"{claim.model}{against}, {claim.rule} {claim.margin:g}{member}{expected})"
            )
        )
    for rule in suite.gate.rules if suite.gate else ():
        whom = f"{rule.model or 'every model'}{f' against {rule.against}' if rule.against else ''}"
        slices = f"each {rule.by}" if rule.by else rule.slice
        about = f"({rule.scenario}, {rule.metric}, {slices}: {whom}, {rule.kind} {rule.margin:g})"
        console.print(Text(f"gate: {f'{rule.rule} ' if rule.rule else ''}{about}"))


def _policies(judge: Judge) -> dict[str, object]:
    """The dialect, and what is not as it is by default."""
    from genrec_eval.judging.policy import JudgePolicy

    set_ = judge.model_dump(include=set(JudgePolicy.model_fields), exclude_defaults=True)
    return {"dialect": judge.dialect, **set_}
