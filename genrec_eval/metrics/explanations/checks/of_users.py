"""Claims about the user: what they have had, what they like or dislike, how they rated it."""

from __future__ import annotations

from genrec_eval.metrics.explanations.checks.referents import Referents
from genrec_eval.metrics.explanations.evidence import shown, told
from genrec_eval.metrics.explanations.finding import CONTRADICTED, FABRICATED, SILENT, SUPPORTED, Finding
from genrec_eval.metrics.explanations.mentions import Mention
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.protocol.brief import ItemFacts, SeenItem


def past(mention: Mention, item: ItemFacts | None, source: Source) -> Finding:
    """An item that the user is said to have had, liked or disliked."""
    seen = None if item is None else source.history.get(item.id)
    if seen is None:
        said = f"the user's history does not hold {mention.text if item is None else shown(item)}"
        return Finding.of(mention, FABRICATED, said, item, kind="history")
    against = (mention.stance == "liked" and source.low(seen.rating)) or (
        mention.stance == "disliked" and source.high(seen.rating)
    )
    return Finding.of(mention, CONTRADICTED if against else SUPPORTED, told(seen), item, kind="history")


def taste(mention: Mention, about: Referents) -> list[Finding]:
    """A genre that the user is said to like, to have watched or to dislike."""
    source, genre = about.source, mention.value
    having = [seen for seen in source.brief.history if genre in source.genres_of(seen.item)]
    if not any(seen.item.genres for seen in source.brief.history):
        return [Finding.of(mention, SILENT, "no genres are known of the user's history")]
    if not having:
        verdict = SILENT if mention.stance == "disliked" else FABRICATED
        return [Finding.of(mention, verdict, f"the user's history holds no {genre}")]
    against = source.low if mention.stance == "liked" else source.high
    verdict = SUPPORTED
    if mention.stance != "neutral" and all(against(seen.rating) for seen in having):
        verdict = CONTRADICTED
    said = f"{genre} in the user's history: {told(having[-1])}"
    return [Finding.of(mention, verdict, said, having[-1].item)]


def aspect(mention: Mention, about: Referents) -> list[Finding]:
    """An aspect that the user is said to like or dislike; praise of the item is opinion, no claim."""
    name, brief = mention.value.casefold(), about.source.brief
    if mention.stance in (None, "neutral"):
        return []
    cited = {item.id for item in about.named(mention)}
    judged = [seen for seen in brief.history if seen.liked or seen.disliked]
    own = [seen for seen in judged if seen.item.id in cited] or judged
    if not judged:
        return [Finding.of(mention, SILENT, "the history says nothing of aspects")]

    def found(which: str) -> SeenItem | None:
        return next((s for s in own if name in (word.casefold() for word in getattr(s, which))), None)

    liked, disliked = found("liked"), found("disliked")
    wanted, other = (liked, disliked) if mention.stance == "liked" else (disliked, liked)
    if wanted is not None:
        return [Finding.of(mention, SUPPORTED, told(wanted), wanted.item)]
    if other is not None:
        return [Finding.of(mention, CONTRADICTED, told(other), other.item)]
    return [Finding.of(mention, FABRICATED, f"the user's history says nothing of {mention.value}")]


def rating(mention: Mention, about: Referents) -> list[Finding]:
    """A rating that the user is said to have given, or the reviews of the item."""
    assert mention.number is not None
    number, source = mention.number, about.source
    rated = {item.id for item in about.named(mention)}
    own = [seen for seen in source.brief.history if seen.rating is not None]
    cited = [seen for seen in own if seen.item.id in rated]
    factor = source.scale / mention.scale if mention.scale else 1.0
    alone = about.addressed(mention) and not about.named(mention, before=True)
    for seen in cited or (own if alone else ()):
        if any(abs((seen.rating or 0.0) - said) < 0.005 for said in (number, number * factor)):
            return [Finding.of(mention, SUPPORTED, told(seen), seen.item)]
    if cited and about.addressed(mention):
        return [Finding.of(mention, CONTRADICTED, told(cited[0]), cited[0].item)]
    reviews = [review.rating for review in source.brief.reviews if review.rating is not None]
    if reviews and any(abs(number - value) < 0.05 for value in (*reviews, sum(reviews) / len(reviews))):
        return [Finding.of(mention, SUPPORTED, "ratings of the reviews in the brief", about.target)]
    return [Finding.of(mention, SILENT, "the brief gives no such rating")]
