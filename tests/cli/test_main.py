"""The shell around the commands: help, errors, exit codes."""

# ruff: noqa: E501 - a table row is as wide as its sentence

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genrec_eval import __version__
from genrec_eval.cli import main as shell
from genrec_eval.cli.main import COMMANDS, exit_code
from genrec_eval.core.errors import IncompleteError, UsageError

HEAVY = [
    "numpy",
    "pandas",
    "pyarrow",
    "torch",
    "pydantic",
    "scipy",
    "httpx2",
    "openai",
    "starlette",
    "uvicorn",
    "jinja2",
    "yaml",
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a function of the test in the place of `doctor`."""

    def replace(function: Any) -> None:
        monkeypatch.setitem(sys.modules, "genrec_eval_test_command", SimpleNamespace(command=function))  # type: ignore[arg-type]
        monkeypatch.setitem(COMMANDS, "doctor", ("genrec_eval_test_command:command", "A test."))

    return replace


def raising(error: BaseException) -> Any:
    def fail() -> None:
        raise error

    return fail


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import json, sys\n"
        "from genrec_eval.cli.main import exit_code\n"
        "code = exit_code(['--help'])\n"
        f"print(json.dumps([code, [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *help_lines, last = done.stdout.splitlines()
    assert json.loads(last) == [0, []]
    for name, (_, line) in COMMANDS.items():
        assert any(row.split()[:1] == [name] and row.endswith(line) for row in help_lines), name


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["--version"]) == 0
    assert capsys.readouterr().out == f"genrec-eval {__version__}\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code([name, "--help"]) == 0
    assert f"genrec-eval {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rnu"], "error: unknown command 'rnu'; did you mean 'run'?\n"),
        (["validate"], "error: Missing argument 'SUITE'.\ntry 'genrec-eval validate --help'\n"),
        (["list", "model"], "error: Invalid value for 'KIND': 'model' is not one of 'models', 'scenarios'"),
        (["list", "--colour"], "error: No such option: --colour"),
        (["--colour"], "error: No such option: --colour"),
        ([], "Usage: genrec-eval [OPTIONS] COMMAND [ARGS]..."),
    ],
)
def test_mistakes_on_the_command_line_exit_with_2(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(arguments) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.out == ""


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UsageError("no [bold]such[/] {thing}"), 2, "error: no [bold]such[/] {thing}\n"),
        (IncompleteError("stopped"), 3, "error: stopped\n"),
        (KeyboardInterrupt(), 130, "interrupted; run the same command again to resume\n"),
        (
            ZeroDivisionError("by zero"),
            2,
            "error: unexpected ZeroDivisionError: by zero; this is a fault of genrec-eval; rerun with --debug\n",
        ),
        (OSError(28, "No space left on device", "x.parquet"), 2, "error: No space left on device: 'x.parquet'\n"),
        (RuntimeError(), 2, "error: unexpected RuntimeError; this is a fault"),
        (RuntimeError("a\nb" * 500), 2, "error: unexpected RuntimeError: a; this is a fault"),
    ],
)  # fmt: skip
def test_errors_become_a_sentence_and_an_exit_code(
    command: Any, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, sentence: str
) -> None:
    command(raising(error))
    assert exit_code(["doctor"]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(sentence)
    assert "Traceback" not in captured.err


def test_debug_shows_the_traceback_from_either_side_of_the_command(command: Any) -> None:
    command(raising(UsageError("x")))
    for arguments in (["--debug", "doctor"], ["doctor", "--debug"]):
        with pytest.raises(UsageError):
            exit_code(arguments)


def test_the_number_that_a_command_returns_is_the_exit_code(command: Any) -> None:
    command(lambda: 4)
    assert exit_code(["doctor"]) == 4
    command(lambda: None)
    assert exit_code(["doctor"]) == 0


def test_main_exits(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["genrec-eval", "--version"])
    with pytest.raises(SystemExit) as caught:
        shell.main()
    assert caught.value.code == 0


def test_a_closed_pipe_ends_quietly() -> None:
    code = (
        "import sys\nfrom genrec_eval.cli import main\n"
        "for _ in range(3000): main.COMMANDS['x' * 30 + str(_)] = ('a:b', 'y' * 40)\n"
        "main.main(['--help'])"
    )
    started = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stderr is not None
    started.stdout.close()
    assert started.stderr.read() == b""
    assert started.wait() == 141


def test_piped_output_has_neither_colours_nor_narrow_lines(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "genrec_eval.cli.main", "validate", "quickstart", "gone.yaml"],
        capture_output=True,
        env={"PATH": "", "TERM": "xterm-256color", "COLUMNS": "20", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        cwd=tmp_path,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"error: no suite file 'gone.yaml'" in done.stderr
    assert b"popularity" in done.stdout
    assert b"Traceback" not in done.stderr
