"""Scope: what the suite states of the audit, and what the run knows; what is not stated is as visible."""

from __future__ import annotations

from dataclasses import dataclass

from genrec_eval.core.numbers import count
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.facts import period, population, spell
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line, listing

NOT_STATED = "not stated"
_NAMED = ("model", "revision", "version")


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the scope: what it says, or that nobody said it."""

    title: str
    lines: tuple[str, ...]

    @property
    def stated(self) -> bool:
        """Whether there is anything."""
        return bool(self.lines)


@dataclass(frozen=True, slots=True)
class Scope:
    """What was audited, by whom, on what.

    Attributes
    ----------
    parties
        What no run can know: the words of those who commission and conduct it.
    known
        What the run recorded.
    """

    parties: tuple[Said, ...]
    known: tuple[Said, ...]
    commissioned: bool

    @property
    def silent(self) -> list[str]:
        """Titles of what is not stated."""
        return [said.title for said in (*self.parties, *self.known) if not said.stated]


def scope(on: Ground) -> Scope:
    """Gather the scope of a run."""
    audit = on.audit
    parties = [
        ("System under audit", audit.system),
        ("Purpose", audit.purpose),
        ("Commissioned by", audit.commissioned_by),
        ("Conducted by", audit.conducted_by),
        ("Independence", audit.independence),
        ("Intended use", audit.intended_use),
        ("Population that it stands for", audit.population),
        ("Personal data", audit.personal_data),
    ]
    return Scope(
        parties=(
            *(Said(title, (text,) if text and text.strip() else ()) for title, text in parties),
            Said("Left out on purpose", audit.out_of_scope),
        ),
        known=(
            Said("Systems tested", tuple(_models(on))),
            Said("Judges", tuple(_judges(on))) if on.run.get("judges") else Said("Judges", ("none asked",)),
            Said("Scenarios", tuple(f"{name} ({kind})" if kind else name for name, kind in on.kinds.items())),
            Said("Sampling frame", tuple(frame(on))),
            Said("Groups", tuple(_groups(on)) or ("no groups in the cases",)),
            Said("Data and licences", tuple(_data(on))),
            Said("Played", (text,) if (text := period(on.run)) else ()),
            Said("Software", (f"genrec-eval {version}",) if (version := _version(on)) else ()),
        ),
        commissioned=bool(audit.conducted_by or audit.commissioned_by),
    )


def frame(on: Ground) -> list[str]:
    """Which units were asked, of which, and who was left out: one line a scenario."""
    lines = []
    for name, facts in on.scenarios.items():
        if name not in on.kinds:
            continue
        method = line(facts.get("method") or facts.get("split") or "", 80).replace("-", " ")
        seeded = "drawn by the seed" if isinstance(facts.get("users_sampled_from"), int) else ""
        said = [text for text in (population(facts), seeded, f"{method} split" if method else "") if text]
        if said:
            lines.append(f"{line(name, 60)}: {'; '.join(said)}")
    return lines


def _models(on: Ground) -> list[str]:
    lines = []
    for name in on.results.models():
        facts = on.models.get(name)
        if facts is None:
            continue
        identity = mapping(facts.get("identity"))
        adapter = facts.get("adapter") or identity.get("adapter") or "unknown"
        shown = [f"adapter {line(adapter, 40)}"]
        shown += [f"{key} {line(identity[key], 80)}" for key in _NAMED if identity.get(key)]
        said = f"{line(name, 60)}: {', '.join(shown)}"
        said += f". {line(facts['description'], 300).rstrip('.')}" if facts.get("description") else ""
        if name in on.flaws:
            said += f". Planted flaw: {line(on.flaws[name], 80)}"
        lines.append(said)
    return lines


def _judges(on: Ground) -> list[str]:
    lines = []
    for name, facts in mapping(on.run.get("judges")).items():
        identity = mapping(mapping(facts).get("identity"))
        shown = [line(identity[key], 80) for key in ("adapter", "model", "revision") if identity.get(key)]
        dialect = mapping(mapping(facts).get("dialect"))
        told = f", dialect {line(dialect['name'], 60)}" if dialect.get("name") else ""
        lines.append(f"{line(name, 60)}: {' '.join(shown)}{told}")
    return lines


def group_sizes(on: Ground) -> dict[tuple[str, str], dict[str, int]]:
    """(Scenario, group) → value → units that were asked about."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in on.results.estimates:
        group, equals, value = row.slice.partition("=")
        if equals and row.baseline is None:
            sizes = found.setdefault((row.scenario, group), {})
            sizes[value] = max(sizes.get(value, 0), row.attempted)
    return found


def _groups(on: Ground) -> list[str]:
    several = len(on.kinds) > 1
    lines = []
    for (scenario, group), sizes in group_sizes(on).items():
        values = [f"{line(value, 40)} {count(n)}" for value, n in list(sizes.items())[:12]]
        if len(sizes) > 12:
            values.append(f"{len(sizes) - 12} more")
        where = f" in {line(scenario, 60)}" if several else ""
        lines.append(f"{line(group, 60)}{where}: {listing(values)} units")
    return lines


def _data(on: Ground) -> list[str]:
    lines = []
    for name, facts in on.data.items():
        said = [line(facts.get("name") or name, 80)]
        sizes = ("users", "items", "interactions", "ratings")
        if size := spell({k: v for k, v in mapping(facts.get("facts")).items() if k in sizes}):
            said.append(size)
        said.append(f"licence {line(facts['licence'], 80)}" if facts.get("licence") else "licence not stated")
        said.append(f"source: {line(facts['source'], 200)}" if facts.get("source") else "source not stated")
        lines.append(f"{line(name, 60)}: {', '.join(said)}")
    return lines


def _version(on: Ground) -> str:
    return line(mapping(on.run.get("versions")).get("genrec-eval") or "", 40)
