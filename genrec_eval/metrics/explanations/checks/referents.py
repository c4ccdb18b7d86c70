"""What the claims of a text are about: the recommended item, or one that their sentence names."""

from __future__ import annotations

from bisect import bisect_right

from genrec_eval.metrics.explanations.mentions import Mention, Reading
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.protocol.brief import ItemFacts


class Referents:
    """The items that one reading names, by sentence, as one source knows them."""

    def __init__(self, reading: Reading, source: Source) -> None:
        self.reading, self.source = reading, source
        self.target = source.brief.item
        self._meant: dict[int, ItemFacts | None] = {}
        self._titles: dict[int, list[Mention]] = {}
        for mention in reading.mentions:
            if mention.kind != "title" or (mention.weak and not any(map(source.holds, mention.items))):
                continue
            self._meant[id(mention)] = source.item_of(mention)
            self._titles.setdefault(mention.sentence, []).append(mention)

    def is_title(self, mention: Mention) -> bool:
        """Whether a mention names a work, and is no common word after all."""
        return id(mention) in self._meant

    def item(self, title: Mention) -> ItemFacts | None:
        """The item that a title means; None where there is none of that title."""
        return self._meant[id(title)]

    def addressed(self, mention: Mention) -> bool:
        """Whether a sentence speaks of the reader's tastes or past."""
        return mention.sentence in self.reading.addressed

    def named(self, mention: Mention, before: bool = False, after: int = -1) -> list[ItemFacts]:
        """Items named in the sentence, the nearest before the mention first."""
        titles = [t for t in self._titles.get(mention.sentence, ()) if t.start > after]
        earlier = [t for t in titles if t.start < mention.start][::-1]
        later = [] if before else [t for t in titles if t.start > mention.start]
        found = [item for t in (*earlier, *later) if (item := self.item(t)) is not None]
        return [item for item in found if self.source.holds(item.id)] if self.source.only else found

    def subjects(self, mention: Mention) -> list[ItemFacts]:
        """Items that a claim may be about, the likeliest first; the recommended one is always among them."""
        titles = [t for t in self._titles.get(mention.sentence, ()) if t.start < mention.start]
        resets = self.reading.resets
        last = bisect_right(resets, mention.start) - 1
        named = self.named(mention)
        if titles and (last < 0 or resets[last] < titles[-1].start):
            return list({item.id: item for item in (*named, self.target)}.values())
        if titles:  # "you liked Toy Story, so this comedy ...": what came before "this" is not meant
            named = self.named(mention, after=resets[last])
        return list({item.id: item for item in (self.target, *named)}.values())
