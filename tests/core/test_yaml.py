"""Reading YAML: plain values with places out, or one sentence."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.core.yaml import MOST_BYTES, MOST_NODES, Node, plain, read_file, read_text


def places(node: Node, path: str = "") -> dict[str, str]:
    found = {path: node.place}
    children = node.value.items() if isinstance(node.value, dict) else []
    children = enumerate(node.value) if isinstance(node.value, list) else children
    for key, child in children:
        found |= places(child, f"{path}.{key}" if path else str(key))
    return found


def test_every_value_knows_its_line() -> None:
    node = read_text("a: 1\nb:\n  c: [2,\n    3]\n  d:\n    - x\n    - y: 4\n", "s.yaml")
    assert plain(node) == {"a": 1, "b": {"c": [2, 3], "d": ["x", {"y": 4}]}}
    assert places(node) == {
        "": "s.yaml:1",
        "a": "s.yaml:1",
        "b": "s.yaml:2",
        "b.c": "s.yaml:3",
        "b.c.0": "s.yaml:3",
        "b.c.1": "s.yaml:4",
        "b.d": "s.yaml:5",
        "b.d.0": "s.yaml:6",
        "b.d.1": "s.yaml:7",
        "b.d.1.y": "s.yaml:7",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("1e3", 1000.0),
        ("1.10", 1.1),
        ("0o17", 15),
        ("0x1F", 31),
        ("010", 10),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("! 1", "1"),
        ("|\n  a\n  b", "a\nb"),
        (".5", 0.5),
        ("-", [None]),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = plain(read_text(text, "s"))
    assert found == value
    assert type(found) is type(value)


def test_anchors_aliases_and_merge_keys_are_resolved() -> None:
    text = "base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: {<<: [{x: 0}, *b], z: 4}\nsame: *b\n"
    node = read_text(text, "s")
    assert plain(node)["one"] == {"x": 1, "y": 3}
    assert plain(node)["two"] == {"x": 0, "y": 2, "z": 4}
    assert plain(node)["same"] == {"x": 1, "y": 2}
    assert node.value["same"].place == "s:4"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3", "s:3: the key 'a' is there twice; first at s:1"),
        ("a:\n\tb: 1", "s:2: a tab is used for indentation; YAML allows only spaces there"),
        ("a: b: c", "s:1: not valid YAML: mapping values are not allowed in this context; is a key indented"),
        (
            "a: @x",
            "s:1: not valid YAML: found character that cannot start any token; text that starts with '@'",
        ),
        ("a: 1\nb", "a key needs a colon after it"),
        ("a: [1", "not valid YAML"),
        ("a: !!python/object:os.system x", "s:1: the tag '!!python/object:os.system' is not allowed"),
        ("a: !include other", "the tag '!include' is not allowed"),
        ("a: !!binary aGk=", "the tag '!!binary' is not allowed"),
        ("a: !!int x", "'x' is tagged !!int but is not one"),
        ("a: !!set {x}", "the tag '!!set' is not allowed"),
        ("a: *b", "alias '*b' refers to no anchor"),
        ("a: &a [*a]", "alias '*a' refers to the value it is part of"),
        ("[1]: 2", "a key must be plain text"),
        ("a: 1\n---\nb: 2", "s:2: a second document starts"),
        ("a: .nan", ".nan is not a finite number"),
        ("a: 1e999", "1e999 is not a finite number"),
        ("a: 99999999999999999999", "is beyond 64 bits"),
        ("a: " + "9" * 10_000, "is beyond 64 bits"),
        ("a: 0x" + "f" * 99, "is beyond 64 bits"),
        ("é: 1\nb: \x07", "s:2: the character U+0007 is not allowed in YAML"),
        ("a: \ud800", "s: not UTF-8 text"),
        ("[" * 200, "s:1: nested deeper than 64 levels"),
        ("{a: " * 100_000, "nested deeper than 64 levels"),
        ("<<: 3", "'<<' merges mappings only"),
    ],
)
def test_faults_are_one_sentence_with_a_place(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_text(text, "s")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("s:")
    assert "\n" not in str(caught.value)


def test_alias_bombs_are_refused_before_they_are_expanded() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30))
    with pytest.raises(UsageError, match=rf"s:5: more than {MOST_NODES} values once aliases are expanded"):
        read_text(bomb, "s")


def test_files_must_be_small_and_utf8(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes("\ufeffa: é".encode())
    assert plain(read_file(file, "s.yaml")) == {"a": "é"}
    file.write_bytes(b"a: 1\nb: \xe9")
    with pytest.raises(UsageError, match=r"s\.yaml:2: not UTF-8 text; save the file as UTF-8"):
        read_file(file, "s.yaml")
    file.write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(UsageError, match="larger than 5 MB"):
        read_file(file, "s.yaml")
    with pytest.raises(UsageError, match=r"gone\.yaml: cannot be read: No such file"):
        read_file(tmp_path / "gone.yaml", "gone.yaml")


_keys = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), max_size=8)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _keys,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


@given(_values)
def test_what_json_writes_is_read_back(value: object) -> None:
    import json

    assert plain(read_text(json.dumps(value, ensure_ascii=False), "s")) == value


@given(st.text(max_size=200) | st.text("ab:-[]{}&*!|>'\"#%@\n\t ,<?", max_size=60))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    with suppress(UsageError):
        read_text(text, "s")


@given(st.text("abc:-[]{}'\"#\n ,", max_size=40))
def test_text_without_typed_scalars_is_read_as_pyyaml_reads_it(text: str) -> None:
    try:
        mine = plain(read_text(text, "s"))
    except UsageError:
        return
    assert mine == yaml.load(text, Loader=yaml.SafeLoader)
