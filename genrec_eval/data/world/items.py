"""The catalogue of the synthetic world: titles, remakes, aliases, genres, descriptions, providers, people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.randomness import generator
from genrec_eval.data.world import words
from genrec_eval.data.world.facts import fact_columns
from genrec_eval.protocol.arrays import Float64, Int64, Ragged

if TYPE_CHECKING:
    from genrec_eval.data.world.spec import SyntheticSpec

START = 1_577_836_800
"""First second of the period: 2020-01-01T00:00:00Z."""
DAY = 86_400
MAJOR, INDEPENDENT = "major", "independent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What is known of the items.

    Attributes
    ----------
    table
        ``item_table`` of the dataset.
    popularity, quality, appeal, released
        See :class:`~genrec_eval.data.world.truth.WorldTruth`.
    start, end
        The period, Unix seconds.
    """

    table: pa.Table
    popularity: Float64
    quality: Float64
    appeal: Float64
    released: Int64
    start: int
    end: int


def make_catalogue(spec: SyntheticSpec, seed: int) -> Catalogue:
    """Draw the items."""
    n = spec.items
    random = generator(seed, "world items")
    rank = random.permutation(n)
    weight = (rank + 1.0) ** -spec.popularity_exponent
    new = np.zeros(n, bool)
    new[random.permutation(n)[: round(spec.new_items * n)]] = True
    released = np.where(new, START + (random.random(n) * spec.days * DAY).astype(np.int64), START)
    years = np.where(new, 1970 + released.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64), 0)
    # most films of a catalogue are recent: the square root pulls towards the start of the period
    old = 1950 + (np.sqrt(random.random(n)) * 70).astype(np.int64)
    years = np.where(new, years, old)

    titles = _titles(n, random)
    original = _remake(titles, years, ~new, round(spec.remakes * n), random)
    aliases = _aliases(titles, years, random)
    genres = _genres(n, random)
    names, provider, major = _providers(n, rank, random)
    table = pa.table(
        {
            "item": numbered("i", n),
            "title": [f"{title} ({year})" for title, year in zip(titles, years, strict=True)],
            "year": pa.array(years, pa.int32()),
            "aliases": pa.array(aliases, pa.list_(pa.string())),
            "description": _descriptions(genres, random),
            "genres": pa.ListArray.from_arrays(
                pa.array(genres.offsets, pa.int32()),
                pa.array(words.GENRES).take(pa.array(genres.values)),
            ),
            "provider": pa.array(names).take(pa.array(provider)),
            "provider_group": pa.array([INDEPENDENT, MAJOR]).take(pa.array(major[provider].astype(np.int8))),
            "remake_of": pa.array([None if of < 0 else f"i{of + 1:0{len(str(n))}d}" for of in original]),
            **fact_columns(n, seed),
        }
    )
    popularity = weight / weight.sum()
    return Catalogue(
        table=table,
        popularity=popularity,
        quality=generator(seed, "world quality").normal(size=n),
        appeal=_appeal(spec, seed, popularity, genres),
        released=released,
        start=START,
        end=START + spec.days * DAY,
    )


def _appeal(spec: SyntheticSpec, seed: int, popularity: Float64, genres: Ragged) -> Float64:
    random = generator(seed, "world tastes")
    member = np.zeros((len(words.GENRES), spec.items))
    member[genres.values, np.repeat(np.arange(spec.items), genres.lengths)] = 1.0
    # every genre is somebody's favourite before one is it twice
    rounds = -(-spec.tastes // len(member))
    favourite = np.concatenate([random.permutation(len(member)) for _ in range(rounds)])[: spec.tastes]
    second = random.integers(len(member), size=spec.tastes)
    liking = member[favourite] + 0.5 * member[second] + random.normal(size=(spec.tastes, spec.items))
    liking[0] = 0.0
    appeal = popularity * np.exp(spec.taste_strength * liking)
    return appeal / appeal.sum(axis=1, keepdims=True)


def numbered(letter: str, n: int) -> pa.Array:
    """Ids such as ``i001``: the number padded so that ids sort as numbers do."""
    digits = pc.utf8_lpad(pa.array(np.arange(1, n + 1)).cast(pa.string()), len(str(n)), "0")
    return pc.binary_join_element_wise(letter, digits, "")


def _titles(n: int, random: np.random.Generator) -> list[str]:
    """``n`` different titles, from patterns in turn until each is used up."""
    adjectives, nouns, places, names = words.ADJECTIVES, words.NOUNS, words.PLACES, words.NAMES
    patterns = [
        ("The {} {}", (adjectives, nouns)),
        ("{} {}", (adjectives, nouns)),
        ("The {} of {}", (nouns, places)),
        ("{}'s {}", (names, nouns)),
        ("{} and the {}", (names, nouns)),
        ("A {} for {}", (nouns, names)),
        ("Last {} to {}", (nouns, places)),
        ("{} in {}", (names, places)),
        ("The {} {} of {}", (adjectives, nouns, places)),
        ("{}: The {} {}", (places, adjectives, nouns)),
    ]
    capacity = np.array([np.prod([len(part) for part in parts]) for _, parts in patterns])
    wanted = np.minimum(capacity, -(-n // len(patterns)))
    spare = n - wanted.sum()
    for pattern in np.argsort(-capacity, kind="stable"):
        extra = min(max(spare, 0), capacity[pattern] - wanted[pattern])
        wanted[pattern] += extra
        spare -= extra
    titles = []
    for (form, parts), count in zip(patterns, wanted, strict=True):
        picked = random.choice(int(np.prod([len(part) for part in parts])), int(count), replace=False)
        columns = np.unravel_index(picked, [len(part) for part in parts])
        for row in zip(*columns, strict=True):
            titles.append(form.format(*(part[i] for part, i in zip(parts, row, strict=True))))
    return [titles[i] for i in random.permutation(len(titles))[:n]]


def _remake(
    titles: list[str], years: Int64, old: np.ndarray, count: int, random: np.random.Generator
) -> Int64:
    """Give ``count`` items the title of an item at least eight years older; -1 for the others."""
    original = np.full(len(titles), -1, np.int64)
    order = random.permutation(len(titles))
    sources = [i for i in order if old[i] and years[i] <= 2010][:count]
    taken = set(sources)
    copies = iter([i for i in order[::-1] if i not in taken])
    for source in sources:
        for copy in copies:
            if years[copy] >= years[source] + 8:
                titles[copy] = titles[source]
                original[copy] = source
                break
    return original


def _aliases(titles: list[str], years: Int64, random: np.random.Generator) -> list[list[str]]:
    """Catalogue order of a leading article, and for one in twelve a working title."""
    working = random.random(len(titles)) < 1 / 12
    names = random.integers(len(words.PLACES), size=len(titles))
    result = []
    for i, (title, year) in enumerate(zip(titles, years, strict=True)):
        found = []
        article, _, rest = title.partition(" ")
        if article in ("The", "A"):
            found.append(f"{rest}, {article} ({year})")
        if working[i] and ":" not in title:
            found.append(f"{title}: The {words.PLACES[names[i]]} Story ({year})")
        result.append(found)
    return result


def _genres(n: int, random: np.random.Generator) -> Ragged:
    """One to three genres per item; some genres are more common than others."""
    share = 1.0 / np.arange(2, len(words.GENRES) + 2)
    # ranks by a Gumbel draw are a weighted draw without replacement
    order = np.argsort(-(np.log(share) + random.gumbel(size=(n, len(share)))), axis=1)
    count = random.choice([1, 2, 3], n, p=[0.4, 0.4, 0.2])
    keep = np.arange(3) < count[:, None]
    return Ragged(np.concatenate([[0], np.cumsum(count)]), order[:, :3][keep].astype(np.int32))


def _providers(n: int, rank: Int64, random: np.random.Generator) -> tuple[list[str], Int64, np.ndarray]:
    """Names, provider per item, and which providers are major; majors hold more of the popular items."""
    count = int(np.clip(n // 15, 4, 240))
    every = [f"{stem} {kind}" for kind in words.PROVIDER_KINDS for stem in words.PROVIDERS]
    names = [every[i] for i in random.choice(len(every), count, replace=False)]
    majors = max(2, count // 8)
    from_major = random.random(n) < 0.75 - 0.5 * rank / n
    provider = np.where(from_major, random.integers(majors, size=n), random.integers(majors, count, size=n))
    return names, provider, np.arange(count) < majors


def _descriptions(genres: Ragged, random: np.random.Generator) -> list[str]:
    n = len(genres)
    tone, role, plight, place = (
        random.integers(len(choices), size=n)
        for choices in (words.TONES, words.ROLES, words.PLIGHTS, words.PLACES)
    )
    names = [genre.lower() for genre in words.GENRES]
    result = []
    for i in range(n):
        kinds = " and ".join(names[genre] for genre in genres[i][:2])
        hero = words.ROLES[role[i]]
        text = _article(f"{words.TONES[tone[i]]} {kinds}")
        text += f" in which {_article(hero)} from {words.PLACES[place[i]]} {words.PLIGHTS[plight[i]]}."
        result.append(text[0].upper() + text[1:])
    return result


def _article(phrase: str) -> str:
    return f"{'an' if phrase[0].lower() in 'aeiou' else 'a'} {phrase}"
