"""What a suite file may say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from genrec_eval.core.errors import UsageError
from genrec_eval.core.faults import shown
from genrec_eval.core.registry import Registry, load_object
from genrec_eval.core.strict import StrictModel
from genrec_eval.data.registry import DATASETS, DatasetSpec
from genrec_eval.judging.policy import JudgePolicy, Judging
from genrec_eval.models.spec import ADAPTERS, ModelSpec
from genrec_eval.protocol.results import Ruling
from genrec_eval.scenarios.base import SCENARIOS, Scenario
from genrec_eval.suite.audit import Audit
from genrec_eval.suite.gate import Gate
from genrec_eval.suite.rule import PAIRED, Slice, one_rule

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)

Rule = Literal["at_least", "at_most", "better_by", "not_worse_by", "within", "published"]
RULES: tuple[Rule, ...] = get_args(Rule)


def is_slug(name: str) -> bool:
    """Whether ``name`` is safe as the name of a file or folder on every system."""
    return bool(_SLUG.fullmatch(name)) and not name.endswith(".") and not _RESERVED.fullmatch(name)


def _slug(name: str) -> str:
    if _RESERVED.fullmatch(name):
        raise PydanticCustomError("slug", "the name '{name}' is reserved on Windows", {"name": name})
    if not is_slug(name):
        raise PydanticCustomError(
            "slug",
            "the name {name} cannot be used: up to 64 letters, digits, '.', '_' and '-', "
            "starting with a letter or digit",
            {"name": repr(name)},
        )
    return name


Name = Annotated[
    str, AfterValidator(_slug), Field(json_schema_extra={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"})
]
"""A name that is safe as the name of a file or folder."""


def find(registry: Registry, name: str, folder: Path) -> Any:
    """What ``name`` stands for; ``file.py:attr`` is relative to the suite's folder."""
    place, _, attribute = name.rpartition(":")
    if attribute and place.endswith(".py"):
        return load_object(name, folder)
    return registry.get(name)


def _found(registry: Registry, name: str, info: ValidationInfo, kind: type) -> Any:
    """The class behind ``name``; a fault is reported at the key that named it."""
    found = find(registry, name, (info.context or {}).get("folder", Path()))
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise UsageError(f"'{name}' is no {registry.kind}: it is not a subclass of {kind.__name__}")
    return found


def _at(key: str, error: Exception, given: Any) -> ValidationError:
    said = PydanticCustomError("usage", str(error))
    return ValidationError.from_exception_data(
        "suite", [InitErrorDetails(type=said, loc=(key,), input=given)]
    )


def _model(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, dict):
        return value
    name = value.get("adapter")
    try:
        if name is None:
            raise UsageError(f"missing key 'adapter'; one of {', '.join(ADAPTERS.names())}")
        if not isinstance(name, str):
            raise UsageError(f"needs text, not {shown(name)}")
        spec = _found(ADAPTERS, name, info, ModelSpec)
    except UsageError as error:
        raise _at("adapter", error, name) from None
    return spec.model_validate(value, context=info.context)


class Data(StrictModel):
    """One data set and its options."""

    dataset: str = Field(description="Kind of data set; `genrec-eval list datasets` shows them.")
    options: SerializeAsAny[DatasetSpec] = Field(
        default_factory=dict, description="Options of that kind.", validate_default=True
    )

    @field_validator("dataset")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        _found(DATASETS, name, info, DatasetSpec)
        return name

    @field_validator("options", mode="plain")
    @classmethod
    def _fitting(cls, value: Any, info: ValidationInfo) -> Any:
        if "dataset" not in info.data:
            return value  # the name itself was refused
        return _found(DATASETS, info.data["dataset"], info, DatasetSpec).model_validate(
            {} if value is None else value, context=info.context
        )


class Judge(JudgePolicy):
    """A judge: a model that answers chat, and the policies by which it is asked and read."""

    model: Annotated[SerializeAsAny[ModelSpec], BeforeValidator(_model)] = Field(
        description="The model that judges; any adapter that answers chat."
    )
    description: str | None = Field(None, description="One line for the report.")

    @field_validator("model")
    @classmethod
    def _of_judges(cls, model: ModelSpec) -> ModelSpec:
        for key, cure in (
            ("repeats", "write repeats beside the judge's model, not in it"),
            ("scenarios", "name the judge in the scenarios' judging"),
            ("recommender", "a judge is asked in the words of its dialect"),
        ):
            if getattr(model, key, None) is not None:
                raise ValueError(f"'{key}' has no meaning for a judge: {cure}")
        return model


class Play(StrictModel):
    """One scenario with its data and options."""

    scenario: str = Field(description="Kind of scenario; `genrec-eval list scenarios` shows them.")
    description: str | None = Field(None, description="One line for the report.")
    data: str | None = Field(None, description="Name of an entry under `data`.")
    options: SerializeAsAny[StrictModel] = Field(
        default_factory=dict, description="Options of that scenario.", validate_default=True
    )
    models: tuple[str, ...] | None = Field(None, description="Only these models; all by default.")
    repeats: PositiveInt | None = Field(
        None, description="Independent samples per case; overrides engine.repeats."
    )
    judging: tuple[Judging, ...] = Field((), description="What judges are asked about the answers.")

    @field_validator("scenario")
    @classmethod
    def _known(cls, name: str, info: ValidationInfo) -> str:
        _found(SCENARIOS, name, info, Scenario)
        return name

    @field_validator("options", mode="plain")
    @classmethod
    def _fitting(cls, value: Any, info: ValidationInfo) -> Any:
        if "scenario" not in info.data:
            return value
        family = _found(SCENARIOS, info.data["scenario"], info, Scenario)
        return family.Options.model_validate({} if value is None else value, context=info.context)

    @model_validator(mode="after")
    def _has_data(self, info: ValidationInfo) -> Play:
        if self.data is None and _found(SCENARIOS, self.scenario, info, Scenario).needs_data:
            raise ValueError(f"scenario '{self.scenario}' needs data; name an entry under 'data'")
        return self

    @model_validator(mode="after")
    def _writes(self, info: ValidationInfo) -> Play:
        if self.judging and not _found(SCENARIOS, self.scenario, info, Scenario).writes:
            raise ValueError(f"scenario '{self.scenario}' has no texts to judge; drop 'judging'")
        return self


class Claim(StrictModel):
    """A statement that the run confirms, refutes or cannot decide."""

    claim: str = Field(min_length=1, description="The statement in words, for the report.")
    scenario: str = Field(description="Name of an entry under `scenarios`.")
    metric: str = Field(description="Metric, as in ndcg@10.")
    model: str = Field(description="Name of an entry under `models`.")
    slice: Slice = Field("all", description="`all`, or one group as in gender=F.")
    against: str | None = Field(None, description="Model it is compared with, case by case.")
    at_least: float | None = Field(None, description="The interval lies at or above this value.")
    at_most: float | None = Field(None, description="The interval lies at or below this value.")
    better_by: float | None = Field(
        None, ge=0, description="Better than `against` by more than this margin; 0 for any amount."
    )
    not_worse_by: float | None = Field(
        None, gt=0, description="Not worse than `against` by this margin or more."
    )
    within: float | None = Field(None, gt=0, description="Differs from `against` by less than this margin.")
    published: float | None = Field(
        None, description="A figure that was published about the same data; ours is as near as `tolerance`."
    )
    tolerance: float | None = Field(
        None,
        ge=0,
        description="With `published`: greatest difference, as half a unit of the last digit printed.",
    )
    family: Name | None = Field(
        None,
        description="Claims of one family are decided together: the chance of even one false verdict among"
        " them is at most 1 - level.",
    )
    expect: Literal["PASS", "FAIL"] = Field(
        "PASS", description="What should come out; FAIL for a planted flaw that must be caught."
    )

    @model_validator(mode="after")
    def _one_rule(self) -> Claim:
        given = one_rule(self, RULES, "a claim")
        if given in PAIRED and self.against is None:
            raise ValueError(f"'{given}' compares with another model; name it with 'against'")
        if given not in PAIRED and self.against is not None:
            raise ValueError(
                f"'{given}' is about one model alone; drop 'against', or use {' or '.join(sorted(PAIRED))}"
            )
        if (self.tolerance is None) != (self.published is None):
            raise ValueError("'published' and 'tolerance' go together: the figure, and how near ours must be")
        if self.family is not None and self.published is not None:
            raise ValueError("'published' is about digits, not chance: it belongs to no family")
        if self.against == self.model:
            raise ValueError(f"'{self.model}' is compared with itself")
        return self

    @property
    def rule(self) -> Rule:
        """Name of the rule that was given."""
        return one_rule(self, RULES, "a claim")

    @property
    def margin(self) -> float:
        """Value of the rule that was given."""
        return float(getattr(self, self.rule))

    @property
    def expected(self) -> Ruling:
        """``expect`` as a ruling."""
        return Ruling(self.expect)


class Budget(StrictModel):
    """What a run may spend; when it is used up the run stops and can be resumed."""

    calls: PositiveInt | None = Field(None, description="Most calls to models.")
    tokens: PositiveInt | None = Field(None, description="Most tokens, in and out.")
    money: PositiveFloat | None = Field(None, description="Most US dollars.")
    seconds: PositiveFloat | None = Field(
        None,
        description="Most seconds of wall time in one session; the others count over all resumed sessions.",
    )


class EngineOptions(StrictModel):
    """How the cases are played."""

    repeats: PositiveInt = Field(1, description="Independent samples per case.")
    timeout: PositiveFloat = Field(60.0, description="Seconds for one attempt.")
    retries: NonNegativeInt = Field(5, description="Further attempts after a fault that may pass.")
    limit: PositiveInt = Field(64, description="Most calls in flight to one endpoint.")
    error_budget: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of cases a model may leave unanswered or answer with something malformed;"
        " above it the exit code is 3.",
    )
    breaker: PositiveInt = Field(
        3,
        description="Calls in a row, retries included, that find no service before a model is given up;"
        " one that was never reached is given up after as many attempts and 3 seconds.",
    )
    budget: Budget = Field(Budget.model_validate({}), description="What the run may spend.")
    max_text_bytes: PositiveInt = Field(1 << 20, description="Longest text taken from a model, in bytes.")
    chunk: PositiveInt = Field(16_384, description="Users per chunk of the columnar path.")


class Suite(StrictModel):
    """A suite of genrec-eval: models × scenarios, and what is claimed about them."""

    extends: str | tuple[str, ...] | None = Field(
        None,
        exclude=True,
        description=(
            "Suite files (relative to this one) or names of shipped suites that this one builds on; "
            "mappings are merged, null removes a key, lists are replaced. Relative paths, "
            "inherited ones too, are read from the folder of the suite that is run."
        ),
    )
    name: Name = Field(description="Name of the suite, safe as a folder name.")
    description: str | None = Field(None, description="One line for the report.")
    seed: int = Field(0, ge=0, lt=2**63, description="Every random draw of the run derives from it.")
    data: dict[Name, Data] = Field(default_factory=dict, description="Data sets by name.")
    models: dict[Name, Annotated[SerializeAsAny[ModelSpec], BeforeValidator(_model)]] = Field(
        min_length=1, description="Models under test by name."
    )
    scenarios: dict[Name, Play] = Field(min_length=1, description="Scenarios by name.")
    judges: dict[Name, Judge] = Field(default_factory=dict, description="Judges by name.")
    baseline: str | None = Field(None, description="Model that every other one is compared with.")
    claims: tuple[Claim, ...] = Field((), description="What is claimed; a refuted claim fails the run.")
    gate: Gate | None = Field(None, description="What `genrec-eval gate` holds the run to, in CI.")
    audit: Audit | None = Field(None, description="Scope and parties of the audit, for the report.")
    engine: EngineOptions = Field(EngineOptions.model_validate({}), description="How the cases are played.")
    level: float = Field(0.95, gt=0.5, lt=1, description="Confidence level of the intervals.")
    prices: str | None = Field(
        None, description="Price table (YAML) that replaces the bundled one, relative to this file."
    )

    def takes_part(self, model: str, scenario: str) -> bool:
        """Whether ``model`` is played in ``scenario``, by the filters of both."""
        chosen, of = self.scenarios[scenario].models, self.models[model].scenarios
        return (chosen is None or model in chosen) and (of is None or scenario in of)
