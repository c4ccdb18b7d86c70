"""``extends`` and ``--set``: documents are merged value by value, and every value keeps its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from genrec_eval.core.content import content
from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.yaml import Node, read_file, read_text

NAMED = ("data", "models", "scenarios", "judges")
"""Sections whose keys are names that a suite gives."""

LONGEST_CHAIN = 32


def shown(path: Path) -> str:
    """A path as messages show it: relative to the working folder where it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def shipped() -> dict[str, Path]:
    """Name → file of the suites that come with genrec-eval; ``folder/name`` for those of a folder."""
    root = content("suites")
    files = [*sorted(root.glob("*.yaml")), *sorted(root.glob("*/*.yaml"))]
    named = {path.relative_to(root).with_suffix("").as_posix(): path for path in files}
    others = ("prompts/", "attributes/")  # what suites name, and no suites
    return {name: path for name, path in named.items() if not name.startswith(others)}


def locate(target: str, folder: Path) -> Path:
    """The file that a path (relative to ``folder``) or the name of a shipped suite stands for.

    Raises
    ------
    UsageError
        When there is no such file; says what is there instead.
    """
    if not target or "\0" in target:
        raise UsageError("the name of a suite file is empty or not a path")
    path, known = folder / target, shipped()
    try:
        if path.is_file():
            return path
        if target in known:  # a folder of that name, as judges/ is, is no suite
            return known[target]
        beside = sorted(p.name for p in (path if path.is_dir() else path.parent).glob("*.y*ml"))
        if path.is_dir():
            found = f"; it holds {', '.join(beside[:10])}" if beside else " without any YAML file"
            raise UsageError(f"'{target}' is a folder{found}")
    except OSError as error:
        raise UsageError(f"'{target[:80]}' is not a usable path: {error.strerror or error}") from error
    hint = did_you_mean(path.name, beside) or did_you_mean(target, known)
    raise UsageError(
        f"no suite file '{target}'{hint} (suites that come with genrec-eval: {', '.join(known) or 'none'})"
    )


def read(path: Path) -> Node:
    """Read a suite file with everything it extends."""
    return _read(path.resolve(), (), {})


def _read(path: Path, chain: tuple[Path, ...], done: dict[Path, Node]) -> Node:
    if path in done:  # several may share a base
        return done[path]
    if path in chain:
        cycle = " → ".join(shown(one) for one in (*chain[chain.index(path) :], path))
        raise UsageError(f"{shown(chain[-1])}: 'extends' goes in a circle: {cycle}")
    if len(chain) > LONGEST_CHAIN:
        raise UsageError(f"{shown(path)}: more than {LONGEST_CHAIN} suites extend one another")
    node = read_file(path, shown(path))
    if not isinstance(node.value, dict):
        what = "is empty" if node.value is None else "is not a mapping of keys to values"
        raise UsageError(f"{node.place}: the suite {what}; `genrec-eval init` writes one to start from")
    found = extended(node, path.parent, lambda base: _read(base.resolve(), (*chain, path), done))
    done[path] = found
    return found


def extended(node: Node, folder: Path, load: Callable[[Path], Node]) -> Node:
    """Put ``node`` over the suites that its ``extends`` names; the last of several wins."""
    wanted = node.value.get("extends")
    if wanted is None:
        return node
    targets = wanted.value if isinstance(wanted.value, list) else [wanted]
    merged: Node | None = None
    for target in targets:
        if not isinstance(target.value, str):
            raise UsageError(f"{target.place}: extends: needs the name of a suite file, or a list of them")
        try:
            base = load(locate(target.value, folder))
        except UsageError as error:
            said = str(error)
            raise (error if ":" in said.split(" ")[0] else UsageError(f"{target.place}: {said}")) from None
        merged = base if merged is None else overlay(merged, base)
    own = replace(node, value={key: child for key, child in node.value.items() if key != "extends"})
    return own if merged is None else overlay(merged, own)


def overlay(below: Node, above: Node) -> Node:
    """Merge mappings at every depth; ``null`` above removes a key that is below."""
    if not (isinstance(below.value, dict) and isinstance(above.value, dict)):
        return above
    merged = dict(below.value)
    for key, child in above.value.items():
        if key not in merged:
            merged[key] = child
        elif child.value is None:
            del merged[key]
        else:
            merged[key] = overlay(merged[key], child)
    return replace(above, value=merged)


def override(root: Node, settings: Iterable[str], flag: str = "--set") -> Node:
    """Apply ``key.path=value`` settings, in order; ``flag`` is what messages call them.

    Raises
    ------
    UsageError
        When a setting has no ``=`` or its path leads nowhere.
    """
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not path.strip():
            raise UsageError(f"{flag} {setting}: write key.path=value, as in {flag} engine.limit=8")
        place = f"{flag} {path.strip()}"
        if path.split(".")[0].strip() == "extends":
            raise UsageError(f"{place}: what a suite extends cannot be set; write it in a suite file")
        root = _put(root, path.strip().split("."), read_text(text, place, lines=False), place, ())
    return root


def _put(node: Node, parts: list[str], value: Node, place: str, above: tuple[str, ...]) -> Node:
    if isinstance(node.value, list):
        index, rest = parts[0], parts[1:]
        if not (index.isdecimal() and len(index) < 6 and int(index) < len(node.value)):
            raise UsageError(
                f"{place}: '{'.'.join(above)}' is a list of {len(node.value)}; "
                f"'{index}' is not one of its positions, which count from 0"
            )
        items = list(node.value)
        items[int(index)] = _put(items[int(index)], rest, value, place, (*above, index)) if rest else value
        return replace(node, value=items)
    if not isinstance(node.value, dict):
        if node.value is not None:
            raise UsageError(f"{place}: '{'.'.join(above)}' is a value and has no keys below it")
        node = Node({}, place)
    # Names may hold dots: the longest run of parts that is a key wins.
    taken = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in node.value), 0)
    known = taken > 0
    taken = taken or 1
    key, rest = ".".join(parts[:taken]), parts[taken:]
    if rest and not known and len(above) == 1 and above[0] in NAMED:
        names = ", ".join(node.value) or "none"
        raise UsageError(
            f"{place}: no '{key}' under {above[0]}{did_you_mean(key, node.value)} (there is: {names})"
        )
    merged = dict(node.value)
    if rest:
        merged[key] = _put(merged.get(key, Node(None, place)), rest, value, place, (*above, key))
    elif value.value is None:
        merged.pop(key, None)
    else:
        merged[key] = value
    return replace(node, value=merged)
