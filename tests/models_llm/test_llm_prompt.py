"""Prompt files: what ships, what is refused with file and line, what the sandbox stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrec_eval.core.content import content
from genrec_eval.core.errors import UsageError
from genrec_eval.models.llm.prompt import VARIABLES, load_prompt

HEAD = "name: mine\nversion: 1\ndescription: My own.\nkind: rank\n"


def write(folder: Path, text: str) -> str:
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return "mine.yaml"


def fault(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        load_prompt(write(folder, text), folder)
    message = str(caught.value)
    assert str(folder / "mine.yaml") in message
    assert "\n" not in message
    return message.replace(str(folder), "")


def test_the_shipped_prompts_are_valid_and_named_like_their_files(tmp_path: Path) -> None:
    names = {path.stem for path in (content("suites") / "prompts").glob("*.yaml")}
    assert {"rank-list", "rank-json", "rank-candidates"} <= names
    for name in names:
        prompt = load_prompt(name, tmp_path)
        assert prompt.name == name
        assert prompt.shows <= set(VARIABLES)
        assert {"profile", "history", "k"} <= prompt.shows


def test_a_prompt_of_ones_own_is_found_beside_the_suite(tmp_path: Path) -> None:
    prompt = load_prompt(
        write(tmp_path, HEAD + "user: |\n  {{ k }} like {{ history|join(', ') }}\n"), tmp_path
    )
    assert prompt.render(k=3, history=["Heat", "Fargo"]) == (None, "3 like Heat, Fargo")
    assert load_prompt(str(tmp_path / "mine.yaml"), Path("/")).digest() == prompt.digest()


def test_an_unknown_name_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown prompt 'rank-lst'; did you mean 'rank-list'"):
        load_prompt("rank-lst", tmp_path)
    with pytest.raises(UsageError, match=r"gone\.yaml: cannot be read: No such file"):
        load_prompt("gone.yaml", tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEAD + "user: |\n  Hello\n  {{ histroy }}\n",
            "/mine.yaml:7: prompt: unknown variable 'histroy'; did you",
        ),
        (
            HEAD + "user: |\n  Hello\n  {% for x in history %}\n",
            "/mine.yaml:7: prompt: Unexpected end of template",
        ),
        (HEAD + "user: |\n  {{ history.titles }}\n", "/mine.yaml:6: prompt: 'list object' has no attribute"),
        (HEAD + "user: |\n  {% for c in candidates %}{{ c }}{% endfor %}\n", "without candidates"),
        (HEAD + "user: hi\nsytem: x\n", "/mine.yaml:6: sytem: unknown key 'sytem'; did you mean 'system'?"),
        (HEAD + "user: hi\nuser: ho\n", "/mine.yaml:6: the key 'user' is there twice"),
        (HEAD.replace("rank", "chat") + "user: hi\n", "/mine.yaml:4: kind: must be 'rank', not 'chat'"),
        (
            HEAD.replace("version: 1", "version: 0") + "user: hi\n",
            "/mine.yaml:2: version: must be greater than 0, not 0",
        ),
        (HEAD, "/mine.yaml:1: missing key 'user'"),
        (HEAD + "user: [a\n", "/mine.yaml:5: not valid YAML"),
        (
            HEAD + "user: !!python/object/apply:os.system [id]\n",
            "/mine.yaml:5: the tag '!!python/object/apply:os.system' is not allowed",
        ),
        ("- a\n", "/mine.yaml: a prompt file is a mapping"),
        ("", "/mine.yaml: a prompt file is a mapping"),
        ("? [a]\n: b\n", "/mine.yaml:1: a key must be plain text"),
        ("x" * 6_000_000, "larger than 5 MB"),
        ("a: " + "[" * 50_000, "/mine.yaml:1: nested deeper than 64 levels"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    assert message in fault(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(b"name: a\nuser: \xff\n")
    with pytest.raises(UsageError, match=r"mine\.yaml:2: not UTF-8"):
        load_prompt("mine.yaml", tmp_path)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ history.__class__.__init__.__globals__ }}",
        "{{ 'a' * 1000000000 }}",
        "{{ '%1000000000s' % k }}",
        "{{ 'a'.ljust(1000000000) }}",
        "{{ 'a'|center(1000000000) }}",
        "{{ history.append('x') }}",
        "{{ range(1000000000) }}",
        "{{ cycler }}",
        "{{ '{0.__class__}'.format(k) }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
    ],
)
def test_the_sandbox_lets_nothing_out_and_nothing_grow(tmp_path: Path, attack: str) -> None:
    assert "/mine.yaml:6: prompt: " in fault(tmp_path, HEAD + "user: |\n  " + attack + "\n")
