"""Facts as evidence words them, so that a reader can look them up."""

from __future__ import annotations

from genrec_eval.protocol.brief import ItemFacts, SeenItem


def shown(item: ItemFacts) -> str:
    """An item as evidence names it."""
    return item.title if item.year is None else f"{item.title} ({item.year})"


def told(seen: SeenItem) -> str:
    """An item of the history as evidence tells it."""
    parts = [shown(seen.item)]
    if seen.rating is not None:
        parts.append(f"rated {seen.rating:g} by the user")
    parts += [
        f"{word}: {', '.join(of)}" for word, of in (("liked", seen.liked), ("disliked", seen.disliked)) if of
    ]
    return "; ".join(parts)


def genres(item: ItemFacts) -> str:
    """Its genres."""
    return f"{shown(item)}: {', '.join(item.genres) or 'no genres'}"


def people(item: ItemFacts, role: str) -> str:
    """Who had a part in it."""
    return f"{shown(item)}: {role} {', '.join(item.people[role])}"


def year(item: ItemFacts) -> str:
    """When it came out."""
    return f"{item.title}: year {item.year if item.year is not None else 'not known'}"


def price(item: ItemFacts) -> str:
    """What it costs."""
    return f"{shown(item)}: price {'not known' if item.price is None else f'{item.price:g}'}"


def runtime(item: ItemFacts) -> str:
    """How long it is."""
    return f"{shown(item)}: {'length not known' if item.runtime is None else f'{item.runtime} minutes'}"
