"""Entry point of ``genrec-eval``: finds the command; every error becomes a sentence and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from genrec_eval import __version__
from genrec_eval.core.errors import Exit, GenrecError, UsageError, did_you_mean

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("genrec_eval.cli.run:run", "Play a suite, score it and write the report."),
    "score": ("genrec_eval.cli.score:score", "Redo scores, estimates and verdicts of a run offline."),
    "compare": ("genrec_eval.cli.compare:compare", "Compare a run with an earlier one, unit by unit."),
    "report": ("genrec_eval.cli.report:report", "Write the report of a run again."),
    "verify": ("genrec_eval.cli.verify:verify", "Check that a run is still the one that was scored."),
    "redact": ("genrec_eval.cli.redact:redact", "Take the texts of some cases out of a run, for good."),
    "sign": ("genrec_eval.cli.sign:sign", "Sign the evidence of a run."),
    "gate": ("genrec_eval.cli.gate:gate", "Hold a run to the gate of its suite, for CI."),
    "baseline": ("genrec_eval.cli.baseline:app", "Keep, show and renew what runs are held against."),
    "annotate": ("genrec_eval.cli.annotate:app", "Have people judge the answers of a run, blindly."),
    "judge": ("genrec_eval.cli.judge:app", "Audit the judges of a run; show dialects and rubrics."),
    "validate": ("genrec_eval.cli.validate:validate", "Check suites and show what they would run."),
    "plan": ("genrec_eval.cli.plan:plan", "Show the plan of a suite, and register it before it is run."),
    "init": ("genrec_eval.cli.init:init", "Write a suite to start from."),
    "list": (
        "genrec_eval.cli.list:list_",
        "Show models, scenarios, metrics, datasets, suites and more.",
    ),
    "explain": ("genrec_eval.cli.explain:explain", "Say what a metric is: formula, edges, traps, source."),
    "card": ("genrec_eval.cli.card:card", "Show what a reference model is, costs and reproduces."),
    "schema": ("genrec_eval.cli.schema:schema", "Print the JSON Schema of suites, for editors."),
    "export": (
        "genrec_eval.cli.export:export",
        "Write tables as csv or parquet, model cards, or tell a tracker.",
    ),
    "serve": ("genrec_eval.cli.serve:serve", "Serve reference models over HTTP, with faults on request."),
    "explain-key": (
        "genrec_eval.cli.explain_key:explain_key",
        "Say which field sets two cache keys apart.",
    ),
    "data": ("genrec_eval.cli.data:app", "Get public data sets, and check what is in one."),
    "doctor": ("genrec_eval.cli.doctor:doctor", "Check the installation and what a suite needs."),
}
"""Command → (where it is, one line for ``--help``); a command is imported when it is called."""

HELP = "Evaluate and audit generative recommender systems."
INTERRUPTED = 130
PIPE_CLOSED = 141
"""Codes of shells for a program ended by SIGINT and SIGPIPE."""


class Commands(TyperGroup):
    """A group that knows its commands by name and imports only the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in with the help line, which is all that ``--help`` needs."""
        if cmd_name not in COMMANDS:
            return None
        help_line = COMMANDS[cmd_name][1]
        return TyperCommand(name=cmd_name, help=help_line, short_help=help_line)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """The command itself, imported now."""
        if args[0] not in COMMANDS:
            raise UsageError(f"unknown command '{args[0]}'{did_you_mean(args[0], COMMANDS)}")
        return args[0], load(args[0]), args[1:]


def load(name: str) -> Any:
    """Import one command and return it as a click command."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    function = getattr(importlib.import_module(module), attribute)
    if isinstance(function, typer.Typer):  # a command with commands of its own
        return get_command(function)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name=name)(function)
    return get_command(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"genrec-eval {__version__}")
        raise typer.Exit


def _shell(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
    version: bool = typer.Option(
        False, "--version", help="Show the version and exit.", is_eager=True, callback=_version
    ),
) -> None:
    pass


def application() -> Any:
    """The click command behind ``genrec-eval``."""
    app = typer.Typer(
        cls=Commands, help=HELP, add_completion=False, no_args_is_help=True, rich_markup_mode=None
    )
    app.callback()(_shell)
    return get_command(app)


def main(arguments: list[str] | None = None) -> None:
    """Run ``genrec-eval`` and exit with its code."""
    code = exit_code(sys.argv[1:] if arguments is None else arguments)
    try:
        _flush()
    except OSError:  # said already; Python would say it again at exit, and end with a code of its own
        _drop_output()
    sys.exit(code)


def exit_code(arguments: list[str]) -> int:
    """Run one command; errors go to standard error as a sentence."""
    # Taken out here so that it works before and after the command's name.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    debug = "--debug" in arguments[:end]
    arguments = [word for i, word in enumerate(arguments) if word != "--debug" or i > end]
    try:
        command = application()
        # Not command.main(): it would keep interrupts and broken pipes to itself.
        with command.make_context("genrec-eval", arguments) as context:
            result = command.invoke(context)
        _flush()
        return int(result) if isinstance(result, int) else Exit.PASS
    except typer.Exit as done:
        return done.exit_code
    except BrokenPipeError:
        # The reader went away; Python must not complain once more while it flushes at exit.
        _drop_output()
        return PIPE_CLOSED
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted; run the same command again to resume", INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        return _explained(error)


def _flush() -> None:
    if sys.stdout is not None:  # None where it was closed by who called
        sys.stdout.flush()


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explained(error: Exception) -> int:
    if isinstance(error, GenrecError):
        return _say(f"error: {error}", error.exit_code)
    if type(error).__name__ == "NoArgsIsHelpError":
        return _say(error.format_message(), Exit.USAGE)  # type: ignore[attr-defined]
    if hasattr(error, "format_message"):  # a mistake on the command line, found by typer
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "genrec-eval"
        said = error.format_message().replace("Value error, ", "")
        return _say(f"error: {said}\ntry '{path} --help'", Exit.USAGE)
    if isinstance(error, OSError) and error.strerror:
        # The disk is full, a folder may not be written: a fault of the place, not of the program.
        place = f": '{error.filename}'" if error.filename else ""
        return _say(f"error: {error.strerror}{place}", Exit.USAGE)
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return _say(
        f"error: unexpected {type(error).__name__}{f': {first}' if first else ''}; "
        "this is a fault of genrec-eval; rerun with --debug",
        Exit.USAGE,
    )


def _say(text: str, code: int) -> int:
    from genrec_eval.cli.console import complain

    complain(text)
    return code


if __name__ == "__main__":
    main()
