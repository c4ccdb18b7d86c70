"""Coverage: models by scenarios, how exchanges ended, groups too small to show, metrics without a value."""

from __future__ import annotations

from dataclasses import dataclass

from genrec_eval.core.numbers import by_reason, count
from genrec_eval.protocol.results import Coverage, Estimate
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.contents.scope import group_sizes
from genrec_eval.reporting.text import line, plural

STATES = {
    "run": ("RUN", "v-pass"),
    "partial": ("PARTIAL", "v-open"),
    "not-run": ("NOT RUN", "v-none"),
    "left out": ("NOT MEANT", "v-none"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One model in one scenario."""

    state: str
    answered: str
    statuses: str
    unscored: str
    why: str

    @property
    def word(self) -> str:
        """Word of the state."""
        return STATES[self.state][0]

    @property
    def shape(self) -> str:
        """Shape of the state."""
        return STATES[self.state][1]


@dataclass(frozen=True, slots=True)
class Group:
    """One group of people in one scenario.

    Attributes
    ----------
    suppressed
        Figures that are not shown because too few units have a score.
    """

    scenario: str
    group: str
    value: str
    units: str
    shown: int
    suppressed: int
    why: str


@dataclass(frozen=True, slots=True)
class Covered:
    """What was run, and what was not."""

    scenarios: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    sentence: str
    groups: tuple[Group, ...]
    suppressed: int


def coverage(on: Ground) -> Covered:
    """Gather the coverage of a run."""
    results = on.results
    named = {(row.model, row.scenario): row for row in results.coverage}
    scenarios = tuple(results.scenarios())
    worst = _worst(results.estimates)
    cells = {
        place: _cell(row, results.left_out(row), worst.get(place), results.title)
        for place, row in named.items()
    }
    groups = tuple(_groups(on))
    return Covered(
        scenarios,
        tuple(
            (model, tuple(cells.get((model, scenario)) for scenario in scenarios))
            for model in results.models()
        ),
        _sentence(list(cells.values())),
        groups,
        sum(group.suppressed for group in groups),
    )


def _sentence(cells: list[Cell]) -> str:
    if not cells:
        return "The run recorded no coverage."
    meant = [cell for cell in cells if cell.state != "left out"]
    by_state = {state: sum(cell.state == state for cell in meant) for state in ("run", "partial", "not-run")}
    words = {"run": "run whole", "partial": "run in part", "not-run": "not run"}
    said = [f"{count(n)} {words[state]}" for state, n in by_state.items() if n]
    text = f"{plural(len(meant), 'pairing')} of a model with a scenario: {', '.join(said) or 'none meant'}."
    rest = len(cells) - len(meant)
    return text + (
        f" {plural(rest, 'further pairing was', 'further pairings were')} never meant." if rest else ""
    )


def _cell(row: Coverage, left_out: bool, worst: Estimate | None, title: object) -> Cell:
    bad = [f"{count(n)} {name.replace('_', ' ')}" for name, n in row.statuses.items() if name != "ok" and n]
    good = row.statuses.get("ok", 0)
    statuses = ", ".join([*([f"{count(good)} ok"] if good else []), *bad])
    unscored = ""
    if worst is not None and row.state != "not-run":
        name = title(worst.metric) if callable(title) else worst.metric
        reasons = by_reason(worst.excluded)
        unscored = (
            f"{count(worst.attempted - worst.scored)} of {count(worst.attempted)} units unscored in {name}"
        )
        unscored += f" ({line(reasons, 200)})" if reasons else ""
    answered = "" if row.state == "not-run" else f"{count(row.answered)} of {count(row.attempted)} answered"
    state = "left out" if left_out else row.state
    why = line(row.reason or ("" if row.state == "run" else "no reason was recorded"), 1000)
    return Cell(state, answered, statuses, unscored, why)


def _worst(estimates: tuple[Estimate, ...]) -> dict[tuple[str, str], Estimate]:
    """(Model, scenario) → the figure that leaves out most of its units."""
    found: dict[tuple[str, str], Estimate] = {}
    for row in estimates:
        if row.baseline is not None or row.slice != "all" or row.attempted <= row.scored:
            continue
        held = found.get((row.model, row.scenario))
        if held is None or row.attempted - row.scored > held.attempted - held.scored:
            found[row.model, row.scenario] = row
    return found


def known_whole(on: Ground, row: Estimate) -> bool:
    """Whether there is a figure over all units beside that of a group: else its absence is not about it."""
    whole = on.results.get(row.scenario, row.metric, row.model)
    return whole is not None and whole.value is not None


def _groups(on: Ground) -> list[Group]:
    shown: dict[tuple[str, str], int] = {}
    hidden: dict[tuple[str, str], dict[str, int]] = {}
    for row in on.results.estimates:
        if row.slice == "all" or row.baseline is not None or not known_whole(on, row):
            continue
        place = (row.scenario, row.slice)
        if row.value is not None and row.low is not None:
            shown[place] = shown.get(place, 0) + 1
        else:
            reasons = hidden.setdefault(place, {})
            reason = row.reason or "no interval"
            reasons[reason] = reasons.get(reason, 0) + 1
    found = []
    for (scenario, group), sizes in group_sizes(on).items():
        for value, units in sizes.items():
            place = (scenario, f"{group}={value}")
            reasons = hidden.get(place, {})
            why = "; ".join(f"{line(reason, 120)} ({count(n)})" for reason, n in list(reasons.items())[:3])
            found.append(
                Group(scenario, group, value, count(units), shown.get(place, 0), sum(reasons.values()), why)
            )
    return found
