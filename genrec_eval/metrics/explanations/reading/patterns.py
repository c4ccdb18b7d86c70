"""Regular expressions that claims are read with; every repetition in them is bounded."""

from __future__ import annotations

import re

from genrec_eval.metrics.explanations.lexicon import lexicon

QUOTED = re.compile(
    r"“(?P<a>[^“”\n]{1,120})”|\"(?P<b>[^\"\n]{1,120})\"|«(?P<c>[^«»\n]{1,120})»|「(?P<g>[^「」\n]{1,60})」"
    r"|『(?P<h>[^『』\n]{1,60})』|《(?P<i>[^《》\n]{1,60})》"
    r"|\*{1,3}(?P<d>[^\s*][^*\n]{0,118})\*{1,3}|(?<!\w)_(?P<e>[^_\n]{1,120})_(?!\w)"
    r"|(?<![\w'’])['‘](?P<f>(?:[^'’\n]|['’](?=\w)){1,120})['’](?!\w)"
)
# from the first of several marks alone: each of them would look at all that follow
SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]+[\"'”’)\]»*_]{0,3}(?=\s)|[。！？]|\n")
ABBREVIATED = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|vs|etc|e\.g|i\.e|No|Vol|Pt|Jr|Sr|Prof|approx|min|mins)|\b[A-Z])$"
)

WRITTEN_YEAR = re.compile(
    r"[\"'”’»*_]{0,3}\s?(?:[(\[](?P<a>(?:18|19|20)\d\d)(?:\s?[-–]\s?\d{0,4})?[)\]]|,\s(?P<b>(?:18|19|20)\d\d)\b)"
)
YEAR = re.compile(
    r"(?<![\w.,$€£¥#:/-])(?P<y>(?:18|19|20)\d\d)(?P<s>['’]?s)?(?![\w%€]|[.,:]\d|-(?:minute|page|star))"
)
YEAR_CUE = re.compile(
    r"(?:releas\w{1,3}|premier\w{1,3}|made|came out|out|debut\w{0,3}|produced|published|filmed|shot|from"
    r"|of|in|since|the|a|classic|dating(?:\s+back)?(?:\s+to)?|year|early|late|mid)\W{0,3}$",
    re.IGNORECASE,
)
SETTING = re.compile(
    r"(?:set|takes place|taking place|born|founded|story|war)\W+(?:back\s+)?(?:in|of|during)\W+(?:the\W+)?"
    r"(?:year\W+)?$",
    re.IGNORECASE,
)
PRICE = re.compile(
    r"(?P<c>US\$|[$€£¥]|USD|EUR|GBP)\s?(?P<a>\d{1,7}(?:,\d{3}){0,3}(?:\.\d{1,2})?)(?![\d])"
    r"|(?<![\d.,$])(?P<b>\d{1,7}(?:\.\d{1,2})?)\s?(?:dollars|euros?|pounds|USD|EUR|GBP|€|£|bucks|cents)\b"
    r"|\b(?:costs?|costing|priced\s+at|price\s+(?:of|is|:))\s+(?:only\s+|just\s+|a\s+mere\s+)?"
    r"(?P<d>\d{1,7}(?:\.\d{1,2})?)(?![\d%]|[.,]\d)",
    re.IGNORECASE,
)
MINUTES = re.compile(r"(?<![\d.,:])(?P<m>\d{1,4})\s?[-–]?\s?(?:minutes?|mins?)\b", re.IGNORECASE)
HOURS = re.compile(
    r"(?<![\d.,:\w])(?P<h>\d{1,2}(?:\.\d)?|one|two|three|four)(?P<half>\s+and\s+a\s+half)?[\s-]{0,2}(?:hours?|hrs?|h)\b"
    r"(?:\s?(?:and\s)?(?P<m>\d{1,2})\s?(?:minutes?|mins?|m)\b)?",
    re.IGNORECASE,
)
STARS = re.compile(
    r"(?<![\d.,])(?P<a>\d{1,2}(?:\.\d{1,2})?|one|two|three|four|five)"
    r"(?:\s?/\s?(?P<of>\d{1,3})|\s+out\s+of\s+(?P<of2>\d{1,3}|five|ten))?[\s-]?stars?\b"
    r"|(?<![\d.,/])(?P<b>\d{1,3}(?:\.\d{1,2})?)\s?(?:/|\s+out\s+of\s+)\s?(?P<of3>5|10|100)\b(?![/\d])"
    r"|(?:\brat(?:ed|ing(?:\s+of)?)|\bgave|\bscored?|\bscoring)\s+(?:it|this|that|them|him|her)?\s{0,2}"
    r"(?:only\s+|just\s+|an?\s+)?(?P<c>\d(?:\.\d{1,2})?)(?![\d%/]|[.,]\d)",
    re.IGNORECASE,
)
AFTER_RATED = re.compile(
    r"[\"'”’»*_)\]]{0,3}\s(?:with\s|at\s|as\s|only\s|just\s|an?\s){0,2}(?P<n>\d{1,3}(?:\.\d{1,2})?)(?![\w%/]|[.,]\d|[\s-]?(?:stars?\b|/|out\s))"
)
RATED = re.compile(r"\b(?:rated|gave|scored)\b[^.;!?\n]{0,120}$", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w.,$€£¥#/-])\d{1,9}(?:,\d{3}){0,3}(?:\.\d{1,4})?(?![\w/]|[.,]\d)%?")
ENUMERATION = re.compile(r"(?:^|\n)\s{0,8}(?:[-*#]\s?)?$")
WORDS = {"one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "ten": 10.0}
COMPARED = (
    (
        re.compile(
            r"(?:under|below|less than|fewer than|no more than|at most|cheaper than|up to)\W{0,3}$", re.I
        ),
        "<",
    ),
    (re.compile(r"(?:over|above|more than|at least|longer than)\W{0,3}$", re.I), ">"),
    (
        re.compile(
            r"(?:about|around|roughly|nearly|almost|approximately|some|close to|circa|~)\W{0,3}$", re.I
        ),
        "~",
    ),
)

NAME = re.compile(
    r"[A-ZÀ-ÖØ-Þ][\w'’-]{0,30}\.?(?:\s(?:(?:de|da|van|von|der|den|la|le|di|du|bin|al|el|af|y)\s){0,2}"
    r"[A-ZÀ-ÖØ-Þ](?:[\w'’-]{1,30}|\.)){1,3}"
)
BETWEEN_NAMES = re.compile(r"\s?(?:,\s?(?:and\s|&\s)?|\s(?:and|&|with|alongside|opposite)\s)")


def _either(words: list[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


ROLE_CUE = re.compile(
    r"\b(?:(?P<director>directed\s+(?:by|and written by)|directors?(?:\s+is|\s+was|:)?|direction\s+(?:of|by)"
    r"|helmed\s+by|filmmakers?|a\s+film\s+by|film\s+by|movie\s+by|from\s+director)"
    r"|(?P<actor>starring|stars|starred|co-starring|featuring|features|actors?|actress(?:es)?|cast:|casts?"
    r"|cast\s+(?:of|includes|including|with|is|features|led\s+by)|performances?\s+(?:by|from|of)|played\s+by"
    r"|led\s+by|headed\s+by|the\s+acting\s+of)"
    r"|(?P<writer>written\s+by|writers?|screenplay\s+by|script\s+by|scripted\s+by|penned\s+by)"
    r"|(?P<composer>composed\s+by|composers?|score\s+by|music\s+by|soundtrack\s+by)"
    r"|(?P<author>authors?|authored\s+by|novel\s+by|book\s+by)"
    r"|(?P<artist>artists?|sung\s+by|performed\s+by)|(?P<creator>created\s+by|creators?))"
    r"\s*:?\s+(?:the\s+)?(?:great\s+|talented\s+|acclaimed\s+|legendary\s+|wonderful\s+)?",
    re.IGNORECASE,
)
AFTER_ROLE = re.compile(
    r"(?P<director>['’]s\s+(?:direction|directing)|\s+(?:directs|directed|helms)\b|\s+is\s+the\s+director"
    r"|,\s+who\s+(?:directs|directed)|\s\(director\))"
    r"|(?P<actor>\s+(?:stars|starred|plays|played|appears|acts|leads)\b|['’]s\s+(?:acting|performance)"
    r"|,\s+who\s+(?:stars|acts|plays)|\s+in\s+the\s+lead|\s\((?:actor|cast)\))"
    r"|(?P<writer>(?:,\s+who)?\s+wrote\b)",
    re.IGNORECASE,
)
OF_ITEM = re.compile(r"\s+(?:in\s+)?(?:this|it)\b", re.IGNORECASE)

_SUBJECT = (
    r"(?:you|(?:this|the)\s+(?:user|viewer|reader|customer|listener|person|member)"
    r"|i\s+see\s+(?:that\s+)?you)"  # not "they": as often the makers or the place as the user
)
_ADVERBS = (
    r"(?:['’](?:ve|d))?(?:\s+(?:have|had|has|also|really|recently|previously|clearly|already|just|once|both|all"
    r"|so|much|particularly|especially|always|highly|evidently|truly|certainly|obviously|tend\s+to"
    r"|seem(?:ed)?\s+to(?:\s+have)?|appear\s+to(?:\s+have)?|do|did|who|that|deeply|greatly|absolutely"
    r"|thoroughly|usually|often))"
)
_DENIED = (
    r"(?P<denied>\s+(?:(?:did|do|does|have|has|had)\s+not|(?:did|do|does|have|has|had)n['’]?t|never|hardly"
    r"|barely))?"
)


def _verbs() -> str:
    lists = lexicon("claims")
    return "|".join(f"(?P<{name}>{_either(lists[name])})" for name in ("liked", "neutral", "disliked"))


_LIKING = (
    r"(?P<liked3>(?:great\s+|clear\s+|obvious\s+|evident\s+|deep\s+|own\s+)?(?:love|fondness|enjoyment"
    r"|appreciation|admiration|liking|fandom|favou?rites?|passion|high\s+ratings?|top\s+ratings?|praise)"
    r"(?:\s+(?:of|for|in|with|films?|movies?|such\s+as|like|include[sd]?|including))?)"
)
_HAVING = (
    r"(?P<neutral3>(?:recent\s+|past\s+|earlier\s+|own\s+|viewing\s+|watch\s+|\w+[-\s]star\s+)?(?:ratings?"
    r"|reviews?|history|viewing|list|watchlist)(?:\s+(?:of|for|with|like|include[sd]?|including))?)"
)
_DISLIKING = r"(?P<disliked3>(?:dislike|hatred|low\s+ratings?|poor\s+rating)(?:\s+(?:of|for))?)"


def _cue() -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:{_SUBJECT}{_ADVERBS}{{0,3}}{_DENIED}{_ADVERBS}{{0,2}}\s+(?:{_verbs()})\b"
        r"|(?:after|having|by)\s+(?:already\s+)?(?:(?P<liked2>enjoying|loving|adoring|liking|loved|enjoyed|liked"
        r"|adored)|(?P<neutral2>watching|seeing|rating|watched|seen|rated|reading|viewing))\b"
        rf"|your\s+(?:{_LIKING}|{_HAVING}|{_DISLIKING})(?=\W)"
        r"|(?:you\s+(?:are|were)|you['’]re|as)\s+(?:such\s+|clearly\s+|obviously\s+)?(?P<liked4>(?:a|an)\s+"
        r"(?:big\s+|huge\s+|great\s+|devoted\s+|keen\s+|true\s+)?(?:fan|lover|admirer)\s+of))",
        re.IGNORECASE,
    )


CUE = _cue()
CONDITION = re.compile(
    r"\b(?:if|whether|unless|should|anyone\s+who|those\s+who|viewers\s+who|people\s+who|fans\s+who|when|whenever)"
    r"\s+$",
    re.IGNORECASE,
)
AFTER_CUE = re.compile(
    r"[\"'”’»*_]{0,3}(?:\s?[(\[](?:18|19|20)\d\d[)\]])?[\"'”’»*_]{0,3}\s?,?\s?\(?\s?"
    r"(?:(?:which|that|a\s+(?:film|movie|title)(?:\s+that)?|as)\s+)?"
    rf"(?P<cue>you{_ADVERBS}{{0,3}}{_DENIED}{_ADVERBS}{{0,2}}\s+(?:{_verbs()})\b"
    r"|(?P<neutral2>(?:from|in|on)\s+your\s+(?:history|list|watch\s*list|viewing\s+history|past|collection"
    r"|library)\b)"
    r"|(?P<liked2>(?:one|another|some)\s+of\s+your\s+favou?rites?\b))",
    re.IGNORECASE,
)
RESET = re.compile(
    r"(?:\b(?:this|it|its|here|we|we['’]re|so|therefore|thus|hence|recommend(?:ed|ing|ation)?|suggest(?:ed|ing)?|then|why)\b"
    r"|\b(?:will|would|might|may|should|could|can|shall)\b|['’]ll\b|[;—]|\s–\s|->|→|:\s)",
    re.IGNORECASE,
)
BACK_TO_ITEM = re.compile(r"\b(?:this|it|its|it['’]s|here|we\s+recommend|the\s+recommended)\b", re.IGNORECASE)
ADDRESSED = re.compile(r"\b(?:you|your|you['’]\w+|user|viewer|reader|customer|their|they)\b", re.IGNORECASE)
NEGATED = re.compile(
    r"(?:\b(?:not|no|never|without|nor|neither|rather\s+than|instead\s+of|unlike|far\s+from|less|hardly|barely|avoids?|avoiding|lacks?|lacking|free\s+of|devoid\s+of|nothing\s+of)|n['’]t)"
    r"(?:\s+(?:a|an|the|any|so\s+much|really|quite|exactly|your|typical|usual|just|another|its|of|as|kind\s+of|sort\s+of|be|merely|in\s+the|all|about)){0,3}(?:\s+[a-z-]{1,20})?\s{0,2}[\"'“‘*_(]{0,2}$",
    re.IGNORECASE,
)
ARTICLE = re.compile(
    r"\b(?:[Aa]n?|[Tt]his|[Aa]nother|[Pp]ure|[Cc]lassic|[Mm]odern|[Tt]he)\s+(?:[a-z]+[a-z,-]*\s+){0,2}$"
)
GENRE_JOIN = re.compile(r"\s?(?:,|/|&|-|\band\b|\bor\b)\s?(?:and\s)?(?:a\s)?")
GENRE_END = re.compile(
    r"\s*(?:$|[.,;:!?)]|\b(?:that|which|about|from|set|with|by|directed|starring|of|in|and|who|for|where|featuring)\b)"
)
PREDICATED = re.compile(
    r"(?:\bthis|\b(?:is|was|it['’]s|as)\s+(?:also\s+)?(?:an?|the)?)\s+(?:[a-z]+[a-z,-]*\s+){0,3}(?:[\w-]+\s?(?:,|and|/|&)\s?)?[\"'“‘*_(]{0,2}$",
    re.IGNORECASE,
)
