"""Prompt templates: YAML files with text that strangers write and a sandbox renders."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, PositiveInt, ValidationError

from genrec_eval.core.content import content
from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.faults import FileError, explain
from genrec_eval.core.fingerprint import digest
from genrec_eval.core.strict import StrictModel
from genrec_eval.core.yaml import plain, read_file

if TYPE_CHECKING:
    from jinja2 import Template

VARIABLES = {
    "history": "titles with years, oldest first",
    "k": "how many titles to ask for",
    "candidates": "titles to choose from, or none",
    "profile": "disclosed user attributes, name to value; write profile|items",
    "wording": "which of the prompt's wordings is asked for, or none",
    "catalogue_hint": "one sentence on the catalogue",
}
"""What a template may use."""
FILTERS = frozenset(
    (
        "default",
        "first",
        "items",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "reverse",
        "tojson",
        "trim",
        "upper",
    )
)

Needed = Literal["candidates", "profile"]


class Prompt(StrictModel):
    """A prompt template for rank requests, as written in a YAML file.

    ``system`` and ``user`` are Jinja templates without calls, imports and products; see
    :data:`VARIABLES` and :data:`FILTERS` for what they may use.
    """

    name: str = Field(min_length=1, description="Name, equal to the file's name without .yaml.")
    version: PositiveInt = Field(description="Raise it when the wording changes.")
    description: str = Field(description="One line for lists and reports.")
    kind: Literal["rank"]
    needs: tuple[Needed, ...] = Field((), description="Parts of a request without which it makes no sense.")
    wordings: tuple[str, ...] = Field(
        (),
        description="Names of other words that the text has for the same thing: {% if wording == 'NAME' %}.",
    )
    system: str | None = None
    user: str = Field(min_length=1)

    def digest(self) -> str:
        """SHA-256 of the text that models are sent a rendering of."""
        return digest([self.system, self.user])

    @cached_property
    def shows(self) -> frozenset[str]:
        """Variables that the text uses."""
        from jinja2 import meta

        environment = _environment()
        texts = filter(None, (self.system, self.user))
        return frozenset().union(*(meta.find_undeclared_variables(environment.parse(text)) for text in texts))

    @cached_property
    def _templates(self) -> tuple[Template | None, Template]:
        environment = _environment()
        return (
            None if self.system is None else environment.from_string(self.system),
            environment.from_string(self.user),
        )

    def check(self, *, candidates: bool, profile: bool, wording: str | None = None) -> None:
        """Refuse to leave out what a scenario tells the model, or to ask without what the text needs.

        Raises
        ------
        UsageError
            A disclosed profile that no prompt shows would make every audit of its effect pass.
        """
        for part, given in (("candidates", candidates), ("profile", profile)):
            if given and part not in self.shows:
                raise UsageError(
                    f"prompt '{self.name}' does not use '{part}', which the scenario gives;"
                    " choose a prompt that does"
                )
            if not given and part in self.needs:
                raise UsageError(
                    f"prompt '{self.name}' needs '{part}', which the scenario does not give;"
                    " choose a prompt without it"
                )
        if wording is not None and wording not in self.wordings:
            raise UsageError(
                f"prompt '{self.name}' has no wording '{wording}'{did_you_mean(wording, self.wordings)}, in"
                f" which the scenario asks (its wordings: {', '.join(self.wordings) or 'none'});"
                " choose a prompt that has it"
            )

    def render(self, **values: Any) -> tuple[str | None, str]:
        """System and user text; values must be safe to show already."""
        system, user = self._templates
        return None if system is None else system.render(values).strip(), user.render(values).strip()


def load_prompt(name_or_path: str, folder: Path) -> Prompt:
    """Read a shipped prompt by name, or a file relative to ``folder`` (or absolute).

    Raises
    ------
    UsageError
        When there is none, or it is not a valid prompt; names file and line.
    """
    shipped = _shipped()
    if name_or_path in shipped:
        return read_prompt(shipped[name_or_path])
    if not name_or_path.endswith((".yaml", ".yml")):
        raise UsageError(
            f"unknown prompt '{name_or_path}'{did_you_mean(name_or_path, shipped)}"
            f" (shipped: {', '.join(shipped)}; a file of your own ends in .yaml)"
        )
    return read_prompt(folder / name_or_path)


def _shipped() -> dict[str, Path]:
    return {path.stem: path for path in sorted((content("suites") / "prompts").glob("*.yaml"))}


def read_prompt(path: Path) -> Prompt:
    """Read and try out one prompt file; see :func:`load_prompt`."""
    root = read_file(path, str(path))
    if not isinstance(root.value, dict):
        raise UsageError(f"{path}: a prompt file is a mapping with the keys name, version, kind, user, ...")
    try:
        prompt = Prompt.model_validate(plain(root))
    except ValidationError as error:
        raise FileError(explain(error, root)) from None
    for part in ("system", "user"):
        if (source := getattr(prompt, part)) is not None:
            _try_out(prompt, source, root.value[part].place)
    for wording in prompt.wordings:
        trials = [values for values in _trials(prompt) if values["wording"] is None]
        if all(
            prompt.render(**values) == prompt.render(**values | {"wording": wording}) for values in trials
        ):
            raise UsageError(
                f"{root.value['wordings'].place}: prompt: the wording '{wording}' reads like the usual words;"
                f" give it words of its own: {{% if wording == '{wording}' %}}"
            )
    return prompt


def _try_out(prompt: Prompt, source: str, place: str) -> None:
    """Render with every combination of parts that a request may lack, so that no run stops half-way."""
    import jinja2
    from jinja2 import meta, nodes

    def fault(line: int | None, problem: str) -> UsageError:
        file, _, number = place.rpartition(":")
        inside = line or 0 if "\n" in source else 0  # a block of text begins on the line after its key
        return UsageError(f"{file}:{int(number) + inside}: prompt: {problem}")

    environment = _environment()
    try:
        tree = environment.parse(source)
        unknown = meta.find_undeclared_variables(tree) - set(VARIABLES)
        for name in tree.find_all(nodes.Name):
            if name.ctx == "load" and name.name in unknown:
                raise fault(
                    name.lineno,
                    f"unknown variable '{name.name}'{did_you_mean(name.name, VARIABLES)}"
                    f" (known: {', '.join(VARIABLES)})",
                )
        for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
            raise fault(node.lineno, "a prompt cannot include or import other templates")
        template = environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise fault(error.lineno, str(error.message)) from None
    for values in _trials(prompt):
        try:
            template.render(values)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == "<template>"]
            lacking = [part for part in ("candidates", "profile") if not values[part]]
            when = f" in a request without {' and '.join(lacking)}" if lacking else ""
            raise fault(lines[-1] if lines else None, f"{error}{when}") from None


def _trials(prompt: Prompt) -> Iterator[dict[str, Any]]:
    needs = prompt.needs
    titles = ["Heat (1995)", "Alien (1979)"]
    candidates = [titles] if "candidates" in needs else [titles, None]
    profiles: list[dict[str, str]] = [{"age": "25"}] if "profile" in needs else [{"age": "25"}, {}]
    wordings = [None, *prompt.wordings]
    for history, chosen, profile, wording in product([titles, []], candidates, profiles, wordings):
        yield {
            "history": history,
            "k": 10,
            "candidates": chosen,
            "profile": profile,
            "wording": wording,
            "catalogue_hint": "Films.",
        }


def _environment() -> Any:
    import jinja2
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        # Products, powers and paddings could fill the memory from one short line.
        intercepted_binops = frozenset(("*", "**", "%"))

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            raise SecurityError(f"'{operator}' is not allowed in a prompt")

        def is_safe_callable(self, obj: Any) -> bool:
            return False

    environment = Sandbox(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    # Jinja's own writes "Ocean\\u0027s": escapes for HTML, which this is not.
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment
