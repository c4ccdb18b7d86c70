"""What a comparison comes to, in the words that all of its outputs share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from genrec_eval.audit.comparing.types import Change, Comparison, Difference, Setting
from genrec_eval.audit.comparing.words import edges
from genrec_eval.core.numbers import Figure, bound, count, figure, rough, side
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.tables import p_text
from genrec_eval.reporting.text import line, listing, plural
from genrec_eval.reporting.titles import title_of

ORDER = (
    Change.WORSE,
    Change.BETTER,
    Change.DIFFERENT,
    Change.INCONCLUSIVE,
    Change.EQUIVALENT,
    Change.UNCHANGED,
    Change.NOT_COMPARED,
)
"""What a reader needs first."""
DECIDED = frozenset({Change.WORSE, Change.BETTER, Change.DIFFERENT})
WORDS = {
    Change.WORSE: ("WORSE", "✗"),
    Change.BETTER: ("BETTER", "✓"),
    Change.DIFFERENT: ("DIFFERENT", "≠"),
    Change.INCONCLUSIVE: ("INCONCLUSIVE", "?"),
    Change.EQUIVALENT: ("EQUIVALENT", "="),
    Change.UNCHANGED: ("UNCHANGED", "="),
    Change.NOT_COMPARED: ("NOT COMPARED", "-"),
}
"""Change → word and symbol."""
_SAID = {
    Change.WORSE: "worse",
    Change.BETTER: "better",
    Change.DIFFERENT: "different without a better side",
    Change.INCONCLUSIVE: "undecided",
    Change.EQUIVALENT: "equivalent",
    Change.UNCHANGED: "unchanged",
    Change.NOT_COMPARED: "not compared",
}
KINDS = {
    "lost": ("LOST", "✗", "scored before, and nothing now"),
    "gained": ("GAINED", "✓", "nothing before, and a score now"),
    "status": ("STATUS", "?", "the status of the answer changed"),
    "changed": ("CHANGED", "≠", "between nothing and something, of a metric without a better side"),
}
"""Kind of a flip → word, symbol, meaning; the worst first."""


def overall(comparison: Comparison) -> list[Difference]:
    """Differences over all units, worst first."""
    return worst_first(row for row in comparison.differences if row.slice == "all")


def by_group(comparison: Comparison) -> dict[str, list[Difference]]:
    """Name of a group → differences in its values, worst first."""
    found: dict[str, list[Difference]] = {}
    for row in comparison.differences:
        if row.slice != "all":
            found.setdefault(row.slice.partition("=")[0], []).append(row)
    return {name: worst_first(rows) for name, rows in found.items()}


def worst_first(rows: Iterable[Difference]) -> list[Difference]:
    """What is worse, then what claims and the gate are about, then by what became of them."""
    return sorted(
        rows,
        key=lambda row: (row.change is not Change.WORSE, not row.ruled, ORDER.index(row.change)),
    )


def moved(rows: Iterable[Difference]) -> list[Difference]:
    """Those that may have changed, in their order."""
    return [row for row in rows if row.change is not Change.UNCHANGED]


def unmoved(rows: Iterable[Difference]) -> list[tuple[str, str, list[tuple[str, list[str]]]]]:
    """Figures identical for every unit: model, scenario, and slices with their metrics.

    Slices of the same metrics stand together.
    """
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in rows:
        if row.change is Change.UNCHANGED:
            at = found.setdefault((who(row), row.scenario), {})
            at.setdefault(row.slice, []).append(row.metric)
    lines = []
    for (model, scenario), slices in found.items():
        alike: dict[tuple[str, ...], list[str]] = {}
        for slice, metrics in slices.items():
            alike.setdefault(tuple(metrics), []).append(line(slice, 60))
        said = [("" if of == ["all"] else listing(of), list(metrics)) for metrics, of in alike.items()]
        lines.append((model, line(scenario, 60), said))
    return lines


def answer(comparison: Comparison, titles: Callable[[str], str] = title_of) -> str:
    """What changed in the settings, which figures moved, and whether a claim changed its verdict.

    Parameters
    ----------
    titles
        Id of a metric → its name for people.
    """
    rows = overall(comparison)
    if not rows:
        return "Nothing could be compared."
    return " ".join(
        filter(None, (_settings(comparison.settings), _named(rows, titles), _verdicts(comparison)))
    )


_ASIDE = frozenset({"environment", "git", "format", "version"})
"""What may differ between two runs without anybody's having changed a setting."""
_MOST = 3


def _settings(settings: Sequence[Setting]) -> str:
    """``"Neighbours of item-knn 60 → 20."``."""
    meant = [one for one in settings if one.what not in _ASIDE]
    if not meant:
        return "" if settings else "No setting differs."
    said = [_setting(one) for one in meant[:_MOST]]
    if rest := len(meant) - _MOST:
        said += [f"{plural(rest, 'other setting')} too"] if rest > 0 else []
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def _setting(one: Setting) -> str:
    whose, colon, path = one.name.partition(": ")
    if one.what == "model" and colon:
        label = f"{path.rpartition('.')[2].replace('_', ' ')} of {whose}"
    elif one.what == one.name or not one.name:
        label = one.what
    else:
        label = f"{one.what} {one.name.replace(': ', ', ')}"
    values = [none(one.reference), none(one.candidate)]
    told = " → ".join(line(value, 40) for value in values) if max(map(len, values)) <= 40 else "changed"
    return f"{line(label, 100)} {told}"


def _named(rows: Sequence[Difference], titles: Callable[[str], str]) -> str:
    """``"Peeking@10 is better; NDCG@10 and Recall@10 are undecided; 31 unchanged."``."""
    models = {who(row) for row in rows if row.change in _TOLD_BY_NAME}
    scenarios = {row.scenario for row in rows}
    alone = len(models) == 1 and len({who(row) for row in rows}) > 1
    found: dict[Change, list[str]] = {}
    for row in rows:
        name = line(titles(row.metric), 120)
        name += f" of {who(row)}" if len(models) > 1 else ""
        name += f" in {line(row.scenario, 60)}" if len(scenarios) > 1 else ""
        found.setdefault(row.change, []).append(name)
    if {row.change for row in rows} == {Change.UNCHANGED}:
        return (
            "Its figure is unchanged." if len(rows) == 1 else f"All {count(len(rows))} figures are unchanged."
        )
    parts = []
    for change in ORDER:
        names = list(dict.fromkeys(found.get(change, ())))
        if names and change in _TOLD_BY_NAME:
            parts.append(f"{few(names)} {'is' if len(names) == 1 else 'are'} {_SAID[change]}")
    counted = [
        f"{count(len(found[change]))} {_SAID[change]}"
        for change in ORDER
        if change in found and change not in _TOLD_BY_NAME
    ]
    text = "; ".join(parts + ([", ".join(counted)] if counted else []))
    return f"For {next(iter(models))}: {text}." if alone else f"{text}."


_TOLD_BY_NAME = frozenset({*DECIDED, Change.INCONCLUSIVE})


def _verdicts(comparison: Comparison) -> str:
    """Claims whose verdict changed, by name; that none did."""
    if not comparison.claims:
        return ""
    said = [
        f"“{line(one.claim, 120)}” {none(one.before)} → {none(one.after)}"
        for one in comparison.claims
        if one.before != one.after
    ]
    if not said:
        return "No claim changed its verdict."
    whose = "its" if len(said) == 1 else "their"
    return f"{plural(len(said), 'claim')} changed {whose} verdict: {few(said)}."


def tally(rows: Sequence[Difference], noun: str) -> str:
    """How many rows became what."""
    found = Counter(row.change for row in rows)
    parts: list[str] = []
    for change in ORDER:
        if n := found[change]:
            first = f"{plural(n, noun)} {'is' if n == 1 else 'are'}"
            parts.append(f"{first if not parts else count(n)} {_SAID[change]}")
    if len(parts) == 1 and len(rows) > 1:
        return f"All {parts[0]}."
    return f"{', '.join(parts)} of {count(len(rows))}." if len(parts) > 1 else f"{parts[0]}."


def caution(comparison: Comparison) -> str:
    """Why the comparison is unsound; empty where it is not."""
    found = dict.fromkeys(line(setting.what, 60) for setting in comparison.settings if setting.unsound)
    if not found:
        return ""
    return (
        f"The runs differ in more than their models: {listing(list(found))}."
        " A difference below need not come from the models."
    )


def asides(comparison: Comparison) -> list[str]:
    """What else a reader should know before the tables."""
    said = []
    unpaired = sum(row.only_reference + row.only_candidate for row in comparison.pairs)
    changed = sum(row.changed for row in comparison.pairs)
    if unpaired:
        said.append(f"{plural(unpaired, 'unit')} {'is' if unpaired == 1 else 'are'} in only one of the runs.")
    if changed:
        said.append(f"{plural(changed, 'unit')} {'was' if changed == 1 else 'were'} asked something else.")
    for name, rows in by_group(comparison).items():
        said.append(f"By {line(name, 60)}: {tally(rows, 'figure')}")
    if flips := flip_totals(comparison):
        said.append(f"Flips: {', '.join(f'{count(n)} {_FLIPPED[kind]}' for kind, n in flips.items())}.")
    said += flip_groups(comparison)
    if missing := len(comparison.missing):
        said.append(f"{plural(missing, 'figure')} could not be compared, named at the end.")
    return [*said, *(line(one, 600) for one in comparison.remarks)]


_FLIPPED = {"lost": "lost", "gained": "gained", "status": "changed status", "changed": "changed"}


def flip_totals(comparison: Comparison) -> dict[str, int]:
    """Kind of flip → how many of all; a unit that flipped under several metrics counts once."""
    found: Counter[str] = Counter()
    for row in comparison.flip_counts:
        if "as" not in row and (row.get("metric") is None or not comparison.flip_units):
            found[str(row.get("kind"))] += int(row.get("count") or 0)
    for row in comparison.flip_units:
        found[str(row.get("kind"))] += int(row.get("count") or 0)
    return {kind: found[kind] for kind in KINDS if found[kind]}


def flip_groups(comparison: Comparison) -> list[str]:
    """Of which groups the units are that were lost."""
    said = []
    for row in comparison.flip_units:
        groups = [(line(name, 60), *map(int, counts)) for name, counts in dict(row["groups"]).items()]
        hit = [f"{name} {count(n)} of {count(of)}" for name, n, of in groups if n]
        if row.get("kind") == "lost" and hit:
            where = f"{line(row['model'], 60)} in {line(row['scenario'], 60)}"
            said.append(f"Lost by {where}: {count(row['count'])} of {count(row['of'])}; {', '.join(hit)}.")
    return said


def flip_rows(comparison: Comparison) -> list[tuple[str, str, list[str], dict[str, int]]]:
    """(scenario, model, under which metrics, or ``["status"]``, kind → count), in their order.

    Metrics under which the very same units flip stand in one row.
    """
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    alike: dict[tuple[str, str, str], list[str]] = {}
    for row in comparison.flip_counts:
        at = flip_place(row)
        if "as" in row:
            names = alike.setdefault((*at[:2], str(row["as"])), [])
            if at[2] not in names:
                names.append(at[2])
            continue
        found.setdefault(at, {})[str(row.get("kind"))] = int(row.get("count") or 0)
    return [(at[0], at[1], [at[2], *alike.get(at, ())], counts) for at, counts in found.items()]


def flip_place(row: Mapping[str, object]) -> tuple[str, str, str]:
    """Scenario, model and what flipped: a metric, or the status."""
    metric = row.get("metric")
    return str(row.get("scenario")), str(row.get("model")), "status" if metric is None else str(metric)


def figure_of(row: Difference) -> Figure:
    """The difference with its interval; ``0`` alone where it is identical for every unit."""
    if row.change is Change.UNCHANGED:
        return Figure("0", known=False, reason="identical for every unit")
    return figure(
        row.value,
        row.low,
        row.high,
        unit=row.unit,
        reason=row.reason,
        difference=True,
        apart=edges(row.margin),
    )


def sides(row: Difference) -> tuple[str, str]:
    """Both values over the pairs; empty where there is none."""
    return tuple(  # type: ignore[return-value]  # two of them
        side(value, row.low, row.high, row.unit, edges(row.margin))
        for value in (row.reference_value, row.candidate_value)
    )


def who(row: Difference) -> str:
    """The model, and what it is held against where that is another."""
    model = line(row.model, 60)
    other = line(row.reference_model, 60)
    return model if row.model == row.reference_model else f"{model} against {other}"


def where(row: Difference, comparison: Comparison) -> str:
    """``"item-knn · gender=F · top-k"``, as far as rows differ in it."""
    rows = comparison.differences
    parts = [
        who(row) if len({(one.model, one.reference_model) for one in rows}) > 1 else "",
        "" if row.slice == "all" else line(row.slice, 60),
        line(row.scenario, 60) if len({one.scenario for one in rows}) > 1 else "",
    ]
    return " · ".join(filter(None, parts))


def support(row: Difference) -> list[str]:
    """What stands behind a difference: pairs, exclusions, tests."""
    left = sum(row.excluded.values())
    why = ", ".join(f"{line(reason, 60)} {count(n)}" for reason, n in row.excluded.items())
    said = [plural(row.n, "pair") + (f", excluded {count(left)}: {why}" if left else "")]
    if row.change is Change.UNCHANGED:
        return said
    if row.p is not None:
        holm = f", after Holm {p_text(row.p_adjusted)}" if row.p_adjusted is not None else ""
        said.append(f"two-sided p {p_text(row.p)} of no difference{holm}")
    if row.detectable:
        said.append(f"smallest difference to show {rough(row.detectable, row.unit, True)}")
    if row.margin is not None:
        said.append(f"margin of equivalence {bound(row.margin, row.unit, True)}")
    return said


def none(text: str | None) -> str:
    """The value of a setting, or that there is none."""
    return "none" if text is None else text
