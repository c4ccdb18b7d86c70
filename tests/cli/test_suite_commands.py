"""validate, init, list and schema, as a user calls them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from genrec_eval.cli.init import TEMPLATE, TEXTS
from genrec_eval.cli.main import exit_code
from genrec_eval.core.registry import Registry
from genrec_eval.models.spec import ADAPTERS
from genrec_eval.suite.load import check_metrics, resolve


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def uncommented(template: str) -> list[tuple[str, str]]:
    """The alternatives of a template: name, and the suite with it uncommented."""
    found: list[tuple[str, str]] = []
    rows = template.splitlines()
    for start, row in enumerate(rows):
        if match := re.match(r"( *)#([a-z-]+):", row):
            end = start + 1
            while end < len(rows) and rows[end].startswith(f"{match[1]}#  "):
                end += 1
            block = [line.replace("#", "", 1) for line in rows[start:end]]
            text = "\n".join([*rows[:start], *block, *rows[end:]])
            found.append((match[2], text.replace("@NAME@", "x").replace("@FILE@", "x.yaml")))
    return found


def test_init_writes_a_suite_that_is_valid_and_never_overwrites_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert exit_code(["init"]) == 0
    assert "next: genrec-eval run suite.yaml" in capsys.readouterr().out
    first = Path("suite.yaml").read_text(encoding="utf-8")
    assert first.startswith("# yaml-language-server: $schema=./suite.schema.json\n")
    assert json.loads(Path("suite.schema.json").read_text(encoding="utf-8"))["title"] == "genrec-eval suite"
    assert exit_code(["validate", "suite.yaml"]) == 0
    assert exit_code(["init"]) == 2
    assert "'suite.yaml' is there already" in capsys.readouterr().err
    assert Path("suite.yaml").read_text(encoding="utf-8") == first
    assert exit_code(["init", "suite.txt"]) == 2
    assert "does not end in .yaml" in capsys.readouterr().err


def test_the_suite_that_init_writes_runs_offline_and_its_claims_hold() -> None:
    assert exit_code(["init"]) == 0
    assert exit_code(["run", "suite.yaml", "--quiet"]) == 0
    assert Path("runs/suite/report.html").is_file()


def test_the_suite_of_writers_and_judges_runs_offline_and_its_claim_holds() -> None:
    assert exit_code(["init", "texts.yaml", "--texts"]) == 0
    assert exit_code(["run", "texts.yaml", "--limit", "60", "--quiet"]) == 0
    assert Path("runs/texts/judgements.parquet").is_file()


@pytest.mark.parametrize("stem", ["my suite", "1.5", "null", "ünï", "..x", "2024-01-01", "-", "con"])
def test_init_gives_any_file_name_a_usable_suite_name(stem: str) -> None:
    assert exit_code(["init", "--", f"sub/{stem}.yaml"]) == 0
    assert resolve(f"sub/{stem}.yaml").suite.models


ALTERNATIVES = [*uncommented(TEMPLATE), *uncommented(TEXTS)]


@pytest.mark.parametrize(("name", "text"), ALTERNATIVES, ids=[name for name, _ in ALTERNATIVES])
def test_each_alternative_of_the_template_is_valid(name: str, text: str) -> None:
    Path("x.yaml").write_text(text, encoding="utf-8")
    loaded = resolve("x.yaml")
    check_metrics(loaded)
    assert name in {*loaded.suite.data, *loaded.suite.models, *loaded.suite.judges, "engine"}


def test_the_template_offers_every_adapter_and_dataset() -> None:
    text = "\n".join(text for _, text in uncommented(TEMPLATE))
    for name in ADAPTERS.builtin:
        assert f"adapter: {name}\n" in text
    assert len(uncommented(TEMPLATE)) >= 7


def test_validate_shows_what_would_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["validate", "quickstart", "--set", "models.random.scenarios=[]"]) == 2
    assert (
        exit_code(
            ["validate", "quickstart", "--set", "scenarios.top-k.models=[item-knn, popularity, stutterer]"]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "suite 'quickstart' is valid" in out
    assert re.search(r"random +reference +-", out)
    assert re.search(r"item-knn +reference +yes", out)
    assert "data set world: synthetic" in out
    assert "claim: The planted duplicates are caught" in out
    assert "expected to FAIL" in out


def test_validate_goes_on_after_a_broken_suite_and_warns_of_unset_variables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENREC_TEST_UNSET", raising=False)
    Path("bad.yaml").write_text("extends: quickstart\nsede: 1\nlevl: 2\n", encoding="utf-8")
    Path("good.yaml").write_text(
        "extends: quickstart\ndescription: ${env:GENREC_TEST_UNSET}\n", encoding="utf-8"
    )
    assert exit_code(["validate", "bad.yaml", "good.yaml"]) == 2
    captured = capsys.readouterr()
    assert "error: 2 faults:\nbad.yaml:2: sede: unknown key 'sede'; did you mean 'seed'?" in captured.err
    assert "\nbad.yaml:3: levl: unknown key 'levl'; did you mean 'level'?" in captured.err
    assert "warning: good.yaml:2: environment variable GENREC_TEST_UNSET is not set" in captured.err
    assert "good.yaml: suite 'quickstart' is valid" in captured.out


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("models", ["reference", "python", "item-knn"]),
        ("scenarios", ["top-k", "rank"]),
        ("metrics", ["ndcg@k", "higher"]),
        ("datasets", ["synthetic", "movielens", "files"]),
        ("suites", ["quickstart", "planted flaw"]),
        ("prompts", ["rank-list"]),
    ],
)
def test_list_shows_each_kind(kind: str, expected: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["list", kind]) == 0
    captured = capsys.readouterr()
    for text in expected:
        assert text in captured.out
    assert captured.err == ""


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("metrics", "ndcg@10", "formula"),
        ("models", "item-knn", "neighbours"),
        ("models", "python", "target"),
        ("datasets", "synthetic", "users"),
        ("scenarios", "top-k", "Length of the lists"),
        ("suites", "quickstart", "name: quickstart"),
        ("prompts", "rank-list", "name: rank-list"),
    ],
)
def test_list_shows_everything_about_one(
    kind: str, name: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["list", kind, name]) == 0
    assert expected in capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    [
        ("metrics", "ndgc", "did you mean 'ndcg'?"),
        ("models", "itemknn", "did you mean 'item-knn'?"),
        ("datasets", "syntetic", "did you mean 'synthetic'?"),
        ("suites", "../quickstart", "did you mean 'quickstart'?"),
        ("prompts", "ranklist", "did you mean 'rank-list'?"),
    ],
)
def test_list_knows_what_was_meant(
    kind: str, name: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["list", kind, name]) == 2
    assert hint in capsys.readouterr().err


def test_a_plugin_that_cannot_be_imported_is_named_and_the_rest_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plugins = {"broken": "genrec_eval_no_such_module:X", "fine": "genrec_eval.models.python:PythonSpec"}
    monkeypatch.setitem(ADAPTERS.__dict__, "installed", plugins)
    assert isinstance(ADAPTERS, Registry)
    assert exit_code(["list", "models"]) == 0
    captured = capsys.readouterr()
    assert re.search(r"fine +A function or class in Python", captured.out)
    assert (
        "warning: adapter 'broken' failed to import: importing 'genrec_eval_no_such_module' raised"
        in captured.err
    )
    assert exit_code(["schema"]) == 0
    captured = capsys.readouterr()
    consts = [
        one.get("const")
        for one in json.loads(captured.out)["$defs"]["Model"]["properties"]["adapter"]["anyOf"]
    ]
    assert "fine" in consts
    assert "broken" not in consts
    assert "warning: left out: adapter 'broken'" in captured.err


def test_schema_writes_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["schema"]) == 0
    shown = capsys.readouterr().out
    assert exit_code(["schema", "-o", "s.json"]) == 0
    assert Path("s.json").read_text(encoding="utf-8") == shown
    assert exit_code(["schema", "-o", "no/such/folder/s.json"]) == 2
    assert "error: No such file or directory: 'no/such/folder/s.json'" in capsys.readouterr().err


def test_doctor_names_what_the_models_of_a_suite_lack(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from genrec_eval.reference import torch_extra

    found = torch_extra.importlib.util.find_spec
    monkeypatch.setattr(
        torch_extra.importlib.util, "find_spec", lambda name: None if name == "torch" else found(name)
    )
    Path("recommender.py").touch()
    Path("x.yaml").write_text(
        """
name: x
data: {world: {dataset: synthetic, options: {users: 30, items: 100}}}
models:
  neural: {adapter: reference, model: sasrec}
  words: {adapter: reference, model: dense-retriever}
  function: {adapter: python, target: "recomender.py:recommend"}
  program: {adapter: process, command: [no-such-program]}
  lists: {adapter: replay, path: lists.parquet}
scenarios: {s: {scenario: top-k, data: world}}
""",
        "utf-8",
    )
    assert exit_code(["doctor", "x.yaml"]) == 2
    rows = [row for row in capsys.readouterr().out.splitlines() if row.startswith("PROBLEM")]
    text = "\n".join(rows)
    assert len(rows) == 4, text
    assert "reference model 'sasrec' needs torch, which is not installed" in text
    assert "recomender.py; did you mean 'recommender.py'?" in text
    assert "command not found: 'no-such-program'" in text
    assert "no file of recorded answers" in text


def test_doctor_tells_what_the_extras_are_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "neural reference models" in out
    assert "metrics of many users by compiled code" in out


def test_what_is_listed_is_written_for_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["list", "models"]) == 0
    out = capsys.readouterr().out
    assert ":math:" not in out
    assert "\\" not in out
    assert "Ratings μ + b_u + b_i + p_u · q_i" in out


def test_validating_the_shipped_suites_imports_numpy_at_most() -> None:
    code = (
        "import sys\n"
        "from genrec_eval.cli.main import exit_code\n"
        "from genrec_eval.suite.merge import shipped\n"
        "import os; os.environ['MOVIELENS_100K'] = '.'\n"
        "code = exit_code(['validate', *map(str, shipped().values())])\n"
        "heavy = ('pandas', 'pyarrow', 'scipy', 'torch', 'numba', 'httpx2')\n"
        "print(code, [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
