"""Reviews of the synthetic world: what users say of the aspects of films, and why.

Every item is better or worse in each aspect (standard normal, leaning to the item's quality), and every user
looks out for some: two aspects the user is easily pleased by, two the user is hard on, the others neither.
What a review says of an aspect has the sign of
``0.8 · quality + 1.2 · leaning + 0.6 · (rating − 3) + 0.5 · normal draw``. It speaks of two to four aspects,
rather of those its writer feels strongly about: one sentence each, in which the aspect stands by name. Some
reviews name a private person: the writer signs, or tells who came along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.world import words
from genrec_eval.protocol.arrays import Float64

_FRAMES = (
    "The {aspect} {is} {word}.",
    "I found the {aspect} {word}.",
    "What stays with me {is} the {word} {aspect}.",
    "For me the {aspect} {was} {word} from start to finish.",
    "There is no way around it: the {aspect} {is} {word}.",
    "My friends agree that the {aspect} {is} {word}.",
    "Above all, it has {word} {aspect}.",
    "Nobody told me how {word} the {aspect} would be.",
)
_OPENERS = {
    1: ("A waste of an evening.", "I wanted to walk out.", "Not for me at all."),
    2: ("I had hoped for more.", "Hardly worth the evening.", "It did not win me over."),
    3: ("A mixed evening.", "It has its moments.", "Neither here nor there."),
    4: ("A good evening.", "Well worth seeing.", "I liked it."),
    5: ("I loved it.", "One of my favourites.", "I would see it again tomorrow."),
}
_SIGNED, _FRIEND = 0.12, 0.12


@dataclass(frozen=True, slots=True)
class Opinions:
    """What lies behind the reviews.

    Attributes
    ----------
    quality
        float64[items, aspects].
    leaning
        int8[users, aspects]: 1 where the user is easily pleased, -1 where hard to please.
    """

    quality: Float64
    leaning: npt.NDArray[np.int8]


def make_opinions(users: int, quality: Float64, seed: int) -> Opinions:
    """Draw how good items are in each aspect, and what users look out for."""
    random = generator(seed, "world aspects")
    width = len(words.ASPECTS)
    aspects = 0.6 * quality[:, None] + 0.8 * random.normal(size=(len(quality), width))
    place = np.argsort(random.random((users, width)), axis=1)
    leaning = np.select([place < 2, place < 4], [1, -1], 0).astype(np.int8)
    return Opinions(quality=aspects, leaning=leaning)


def make_reviews(dataset: Dataset, quality: Float64, share: float, seed: int) -> pa.Table:
    """Reviews of a seeded share of the interactions, in their order.

    Parameters
    ----------
    quality
        float64[items], of the items as wholes.
    share
        Of the interactions; the reviews of a smaller share are among those of a greater one.

    Returns
    -------
    pa.Table
        The columns of :attr:`genrec_eval.data.dataset.Dataset.reviews`, all of them.
    """
    opinions = make_opinions(len(dataset.users), quality, seed)
    log = dataset.interactions
    assert log.rating is not None
    picked = np.flatnonzero(generator(seed, "world reviews").random(len(log)) < share)
    user, item, rating = log.user[picked], log.item[picked], log.rating[picked]

    # drawn for every interaction, so that a review does not depend on which others there are
    random = generator(seed, "world review texts")
    n, width = len(log), len(words.ASPECTS)
    noise = random.normal(size=(n, width))[picked]
    chance = random.gumbel(size=(n, width))[picked]
    count = random.integers(2, 5, n)[picked]
    frames = random.integers(len(_FRAMES), size=(n, 4))[picked]
    pick = random.integers(len(words.PRAISE), size=(n, 4))[picked]
    named = random.random(n)[picked]
    friend = random.integers(len(words.NAMES) * len(words.REVIEWER_SURNAMES), size=n)[picked]
    opener = random.integers(3, size=n)[picked]

    leaning = opinions.leaning[user]
    feeling = 0.8 * opinions.quality[item] + 1.2 * leaning + 0.6 * (rating[:, None] - 3) + 0.5 * noise
    order = np.argsort(-(np.abs(feeling) + (leaning != 0) + chance), axis=1)[:, :4]
    praised = np.take_along_axis(feeling, order, axis=1) > 0
    authors = _full_names(len(dataset.users), seed)

    columns: dict[str, list[object]] = {
        name: [] for name in ("text", "author", "positive", "negative", "feature", "explanation", "names")
    }
    for row, (who, stars) in enumerate(zip(user.tolist(), rating.tolist(), strict=True)):
        aspects = [words.ASPECTS[at] for at in order[row, : count[row]]]
        good = praised[row, : count[row]].tolist()
        said = [
            _sentence(aspect, glad, frame, word)
            for aspect, glad, frame, word in zip(
                aspects, good, frames[row].tolist(), pick[row].tolist(), strict=False
            )
        ]
        text, names = [_OPENERS[int(stars)][opener[row]], *said], []
        if named[row] < _SIGNED:
            names = [authors[who]]
            text.append(f"Signed, {authors[who]}.")
        elif named[row] < _SIGNED + _FRIEND:
            first, last = divmod(int(friend[row]), len(words.REVIEWER_SURNAMES))
            names = [f"{words.NAMES[first]} {words.REVIEWER_SURNAMES[last]}"]
            text.append(f"{names[0]} saw it with me and said the same.")
        columns["text"].append(" ".join(text))
        columns["author"].append(authors[who])
        columns["positive"].append([aspect for aspect, glad in zip(aspects, good, strict=True) if glad])
        columns["negative"].append([aspect for aspect, glad in zip(aspects, good, strict=True) if not glad])
        columns["feature"].append(aspects[0])
        columns["explanation"].append(said[0])
        columns["names"].append(names)
    lists = pa.list_(pa.string())
    return pa.table(
        {
            "user": dataset.users.ids.take(pa.array(user)),
            "item": dataset.items.ids.take(pa.array(item)),
            "rating": pa.array(rating, pa.float32()),
            **{
                name: pa.array(found, lists if name in {"positive", "negative", "names"} else pa.string())
                for name, found in columns.items()
            },
        }
    )


def _sentence(aspect: str, glad: bool, frame: int, word: int) -> str:
    several = aspect == "visuals"
    adjective = (words.PRAISE if glad else words.BLAME)[word]
    text = _FRAMES[frame]
    if "has {word}" in text and aspect in ("ending", "story"):  # those that are counted
        adjective = f"{'an' if adjective[0] in 'aeiou' else 'a'} {adjective}"
    return text.format(
        aspect=aspect, word=adjective, **{"is": "are" if several else "is"}, was="were" if several else "was"
    )


def _full_names(users: int, seed: int) -> list[str]:
    """A name for every user; in a large world people share names."""
    random = generator(seed, "world names")
    pairs = len(words.NAMES) * len(words.REVIEWER_SURNAMES)
    picked = np.concatenate([random.permutation(pairs) for _ in range(-(-users // pairs))])[:users]
    return [
        f"{words.NAMES[at // len(words.REVIEWER_SURNAMES)]}"
        f" {words.REVIEWER_SURNAMES[at % len(words.REVIEWER_SURNAMES)]}"
        for at in picked.tolist()
    ]
