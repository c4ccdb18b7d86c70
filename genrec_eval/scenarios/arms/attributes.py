"""Attribute sets: what may be disclosed of a person, as YAML that people edit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from genrec_eval.core.content import content
from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.faults import FileError, explain
from genrec_eval.core.strict import StrictModel
from genrec_eval.core.yaml import plain, read_file

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)
_NOT_IN_METRICS = "(),=@"
EVERY = "*"
"""As a value in the spelling of a metric, every value of the attribute."""
MOST_VALUES = 100
"""Each value is one more question about everybody."""


def is_name(name: str) -> bool:
    """Whether ``name`` can stand in metrics, prompts and case ids."""
    return bool(_NAME.fullmatch(name))


def _named(name: str) -> str:
    if not is_name(name):
        raise ValueError(
            f"'{name}' is not usable as a name: up to 40 of a-z, 0-9, '_' and '-', starting with a letter"
        )
    return name


def _value(value: str) -> str:
    if value != value.strip() or not value or not value.isprintable() or len(value) > 80:
        raise ValueError(
            f"'{value}' is not usable as a value: up to 80 printable characters, no blanks around"
        )
    if wrong := next((sign for sign in value if sign in _NOT_IN_METRICS), None):
        raise ValueError(f"'{value}' holds '{wrong}', which the names of metrics cannot; write it without")
    return value


Name = Annotated[str, AfterValidator(_named)]
"""Name of an attribute or a wording."""
Value = Annotated[str, AfterValidator(_value)]


class Attribute(StrictModel):
    """One attribute that is disclosed, a value at a time."""

    values: tuple[Value, ...] = Field(
        min_length=2, max_length=MOST_VALUES, description="What is disclosed, as the model reads it."
    )
    column: str | None = Field(
        None,
        description="User column that holds a person's own value; the column of the attribute's name, where"
        " there is one, by default.",
    )
    own: dict[str, str] = Field(
        default_factory=dict,
        description="What the column says: the value it stands for; equal ones need no entry.",
    )
    typos: dict[str, Value] = Field(
        default_factory=dict,
        description="Value: its misspelling, for the robustness arm; without its middle letter by default.",
    )

    @field_validator("values", mode="before")
    @classmethod
    def _several(cls, values: Any) -> Any:
        if isinstance(values, list | tuple) and len(values) == 1:
            raise ValueError(f"'{values[0]}' alone has nothing to be compared with; give at least 2 values")
        return values

    @field_validator("values")
    @classmethod
    def _distinct(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        seen: dict[str, str] = {}
        for value in values:
            if (first := seen.get(value.casefold())) is not None:
                before = f", first as '{first}'" if first != value else ""
                raise ValueError(f"'{value}' is there twice{before}")
            seen[value.casefold()] = value
        return values

    @model_validator(mode="after")
    def _of_values(self) -> Self:
        for said, value in self.own.items():
            if value not in self.values:
                raise ValueError(f"own: '{said}' stands for '{value}', {unknown_value(value, self.values)}")
        for value, typo in self.typos.items():
            if value not in self.values:
                raise ValueError(f"typos: {unknown_value(value, self.values, value)}")
            if typo in self.values:
                raise ValueError(f"typos: '{typo}', for '{value}', is a value itself")
        return self

    def misspelt(self, value: str) -> str | None:
        """The misspelling of a value; None where none can be made."""
        middle = len(value) // 2
        typo = self.typos.get(value, value[:middle] + value[middle + 1 :] if len(value) > 2 else value)
        return None if typo in self.values else typo


def unknown_value(value: str, values: tuple[str, ...], named: str | None = None) -> str:
    """That ``value`` is none of ``values``, as the end of a sentence."""
    what = "which is none of the values" if named is None else f"'{named}' is none of the values"
    return f"{what}{did_you_mean(value, values)} ({', '.join(values)})"


def or_a_name(schema: dict[str, Any]) -> None:
    """JSON schema of attributes that may also be named as a set, which the type after validation hides."""
    about = ("description", "default", "title")
    described: dict[str, Any] = {key: schema.pop(key) for key in about if key in schema}
    inline = dict(schema)
    schema.clear()
    schema.update({"anyOf": [{"type": "string"}, inline], **described})


class AttributeFile(StrictModel):
    """A file of attributes."""

    name: str = Field(min_length=1, description="Name, equal to the file's name without .yaml.")
    version: PositiveInt = Field(1, description="Raise it when values change.")
    description: str = Field("", description="One line on what the set is for.")
    attributes: dict[Name, Attribute] = Field(min_length=1, description="Attributes by name.")


def load_attributes(name_or_path: str, folder: Path) -> dict[str, Attribute]:
    """Read a shipped set by name, or a file relative to ``folder``.

    Raises
    ------
    UsageError
        When there is none, or it is not valid; with file and line.
    """
    shipped = {path.stem: path for path in sorted((content("suites") / "attributes").glob("*.yaml"))}
    if name_or_path in shipped:
        return read_attributes(shipped[name_or_path]).attributes
    if not name_or_path.endswith((".yaml", ".yml")):
        raise UsageError(
            f"unknown attribute set '{name_or_path}'{did_you_mean(name_or_path, shipped)}"
            f" (shipped: {', '.join(shipped)}; a file of your own ends in .yaml)"
        )
    return read_attributes(folder / name_or_path).attributes


def read_attributes(path: Path) -> AttributeFile:
    """Read one file; see :func:`load_attributes`."""
    root = read_file(path, str(path))
    if not isinstance(root.value, dict):
        raise UsageError(f"{path}: an attribute set is a mapping with the keys name and attributes")
    try:
        return AttributeFile.model_validate(plain(root))
    except ValidationError as error:
        raise FileError(explain(error, root)) from None


def set_named(given: Any, info: ValidationInfo) -> Any:
    """The set that a name or a path beside the suite stands for; what is no text is left as it is."""
    if isinstance(given, str):
        return load_attributes(given, (info.context or {}).get("folder", Path()))
    return given


def in_order(named: dict[str, Any]) -> dict[str, Any]:
    """By name: a run keeps its suite with sorted keys."""
    return dict(sorted(named.items()))


Attributes = Annotated[dict[Name, Attribute], BeforeValidator(set_named), AfterValidator(in_order)]
"""Attributes of a scenario's options: by name, or a set that is named or lies in a file beside the suite."""


def values_in(
    spelling: str, scenario: str, name: str, value: str | None, attributes: Mapping[str, Attribute]
) -> list[str | None]:
    """The values of attribute ``name`` that the spelling of a metric means: the one named, or all of ``*``.

    Raises
    ------
    UsageError
        When the attribute, or the value, is not among those that are disclosed.
    """
    if name not in attributes:
        raise UsageError(
            f"scenario '{scenario}': metric '{spelling}' is about the attribute '{name}', which is not"
            f" disclosed{did_you_mean(name, attributes)} (disclosed: {', '.join(attributes)})"
        )
    known = attributes[name].values
    if value == EVERY:
        return list(known)
    if value and value not in known:
        raise UsageError(
            f"scenario '{scenario}': metric '{spelling}' is about '{value}', which is no value of"
            f" '{name}'{did_you_mean(value, known)} (its values: {', '.join(known)})"
        )
    return [value]
