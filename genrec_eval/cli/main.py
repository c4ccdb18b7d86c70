"""Entry point of ``genrec-eval``: finds the command, and turns every error into a sentence and an exit code."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from genrec_eval import __version__
from genrec_eval.core.errors import Exit, GenrecError

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("genrec_eval.cli.run:run", "Play a suite, score it and write the report."),
    "score": ("genrec_eval.cli.score:score", "Redo scores, estimates and verdicts of a run offline."),
    "report": ("genrec_eval.cli.report:report", "Write the report of a run again."),
    "validate": ("genrec_eval.cli.validate:validate", "Check suites and show what they would run."),
    "init": ("genrec_eval.cli.init:init", "Write a suite to start from."),
    "list": ("genrec_eval.cli.list:list_", "Show models, scenarios, metrics, datasets, suites or prompts."),
    "schema": ("genrec_eval.cli.schema:schema", "Print the JSON Schema of suites, for editors."),
    "serve": ("genrec_eval.cli.serve:serve", "Serve reference models over HTTP, with faults on request."),
    "explain-key": (
        "genrec_eval.cli.explain_key:explain_key",
        "Say why two answers do not share a cache key.",
    ),
    "doctor": ("genrec_eval.cli.doctor:doctor", "Check the installation and what a suite needs."),
}
"""Command → (where it is, one line for ``--help``); a command is imported when it is called."""

HELP = "Evaluate and audit generative recommender systems."
INTERRUPTED = 130


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
        name = args[0]
        if name not in COMMANDS:
            return super().resolve_command(ctx, args)
        return name, load(name), args[1:]


def load(name: str) -> Any:
    """Import one command and return it as a click command."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    function = getattr(importlib.import_module(module), attribute)
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
    sys.exit(_exit_code(sys.argv[1:] if arguments is None else arguments))


def _exit_code(arguments: list[str]) -> int:
    # Taken out here so that it works before and after the command's name.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    debug = "--debug" in arguments[:end]
    arguments = [word for i, word in enumerate(arguments) if word != "--debug" or i > end]
    try:
        result = application().main(arguments, prog_name="genrec-eval", standalone_mode=False)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else Exit.PASS
    except BrokenPipeError:
        _close_quietly()
        return Exit.PASS
    except KeyboardInterrupt:
        _say("interrupted; run the same command again to resume")
        return INTERRUPTED
    except GenrecError as error:
        if debug:
            raise
        _say(f"error: {error}")
        return error.exit_code
    except SystemExit:
        raise
    except Exception as error:
        return _other(error, debug)


def _other(error: Exception, debug: bool) -> int:
    if hasattr(error, "format_message"):  # a mistake on the command line, found by typer
        context = getattr(error, "ctx", None)
        if type(error).__name__ == "NoArgsIsHelpError":
            if context is None or context.parent is None:  # `genrec-eval` alone asks for help
                typer.echo(error.format_message())
                return Exit.PASS
            typer.echo(error.format_message(), err=True)
            return Exit.USAGE
        command = context.command_path if context is not None else "genrec-eval"
        _say(f"error: {error.format_message()}\ntry '{command} --help'")
        return Exit.USAGE
    if type(error).__name__ == "Abort":
        _say("interrupted; run the same command again to resume")
        return INTERRUPTED
    if isinstance(error, OSError) and not debug:
        # The disk is full, a folder may not be written: a fault of the place, not of the program.
        place = f": '{error.filename}'" if error.filename else ""
        _say(f"error: {error.strerror or error}{place}")
        return Exit.USAGE
    if debug:
        raise error
    first = (str(error).strip().splitlines() or [""])[0][:200]
    _say(
        f"error: unexpected {type(error).__name__}{f': {first}' if first else ''}; "
        "this is a fault of genrec-eval; rerun with --debug"
    )
    return Exit.USAGE


def _say(text: str) -> None:
    """Write to standard error, red where that is a terminal, and never fail over an odd character."""
    from genrec_eval.cli.console import errors

    console = errors()
    head, colon, rest = text.partition(": ")
    if colon and head == "error":
        console.print("[bold red]error[/]: ", end="")
        text = rest
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _close_quietly() -> None:
    import os

    # The reader went away; without this Python complains while it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
