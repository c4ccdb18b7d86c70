"""Who is said to have done what: directed, played, written, composed."""

from __future__ import annotations

from genrec_eval.metrics.explanations.mentions import Mention
from genrec_eval.metrics.explanations.reading import patterns as p
from genrec_eval.metrics.explanations.reading.spans import Spans
from genrec_eval.metrics.explanations.tokens import words


def take_roles(text: str, mentions: list[Mention], taken: Spans) -> None:
    """Say what people are said to have done, and add the names of people whom the catalogue does not know."""
    people = {m.start: m for m in mentions if m.kind == "person"}
    for cue in p.ROLE_CUE.finditer(text):
        role, at = cue.lastgroup, cue.end()
        while True:
            person = people.get(at)
            if person is None:
                match = p.NAME.match(text, at)
                if match is None or taken.holds(match.start(), match.end()):
                    break
                name = match[0].rstrip(".")
                person = Mention(
                    kind="person", start=at, end=at + len(name), text=name, value=" ".join(words(name))
                )
                if any(m.start < person.end and person.start < m.end for m in people.values()):
                    break
                people[at] = person
                mentions.append(person)
            if person.role is None:
                person.role = role
            joined = p.BETWEEN_NAMES.match(text, person.end)
            if joined is None:
                break
            at = joined.end()
    for person in people.values():
        after = p.AFTER_ROLE.match(text, person.end)
        if person.role is None and after is not None:
            person.role = after.lastgroup
            person.predicated = p.OF_ITEM.match(text, after.end()) is not None
