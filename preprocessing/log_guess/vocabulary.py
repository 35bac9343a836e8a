"""Words by which columns of logs are called, and which role each points at."""

from __future__ import annotations

import re

# What a name may say beside its noun without changing what it names.
_ID_WORDS = frozenset("id ids key no num number code hash uuid guid pk fk sk".split())
_FILLERS = frozenset("the dim fact raw main encrypted hashed anon anonymized".split())

NOUNS: dict[str, dict[str, float]] = {
    "user": {
        **dict.fromkeys("user usr member visitor customer cust".split(), 1.0),
        **dict.fromkeys("reviewer viewer subscriber listener reader".split(), 1.0),
        **dict.fromkeys("buyer shopper player consumer guest person".split(), 0.9),
        **dict.fromkeys("account client profile passenger audience".split(), 0.8),
        **dict.fromkeys("fullvisitor anonymous distinct u mid".split(), 0.7),
        **dict.fromkeys("device cookie browser imei".split(), 0.6),
        **dict.fromkeys("session".split(), 0.3),
    },
    "item": {
        **dict.fromkeys("item video product prod article news movie film".split(), 1.0),
        **dict.fromkeys("song track music photo clip sku asin isbn book".split(), 1.0),
        **dict.fromkeys("ad advert advertisement creative banner post".split(), 0.9),
        **dict.fromkeys("note content doc document story listing goods".split(), 0.9),
        **dict.fromkeys("episode show app game recipe poi venue hotel".split(), 0.9),
        **dict.fromkeys("business question course live stream pin tweet".split(), 0.8),
        **dict.fromkeys("property job place deal feed title tra i v n p g".split(), 0.7),
        **dict.fromkeys("parentasin adgroup offer campaign media asset".split(), 0.6),
        **dict.fromkeys("page url status category".split(), 0.3),
    },
    "author": {
        **dict.fromkeys("author artist creator publisher uploader".split(), 1.0),
        **dict.fromkeys("channel seller shop store merchant brand".split(), 0.9),
        **dict.fromkeys("advertiser host writer studio vendor provider".split(), 0.8),
        **dict.fromkeys("manufacturer art anchor supplier".split(), 0.6),
    },
    "tags": {
        **dict.fromkeys("tag tags genre genres topic topics keywords".split(), 1.0),
        **dict.fromkeys("categories labels interests subjects".split(), 0.8),
    },
}

_EVENT_TIMES: dict[str, float] = {
    **dict.fromkeys(
        "eventtime eventtimestamp timestamp ts time eventts datetime".split(), 1.0
    ),
    **dict.fromkeys(
        "timems timestampms unixreviewtime unixtime epoch epochms".split(), 1.0
    ),
    **dict.fromkeys("occurredat occurred happenedat servertime".split(), 1.0),
    **dict.fromkeys("clicktime viewtime viewedat impressiontime showtime".split(), 0.9),
    **dict.fromkeys("requesttime exposetime playtime createdat utctime".split(), 0.8),
    **dict.fromkeys("date day dt ds eventdate hitdate logtime t utc".split(), 0.7),
    **dict.fromkeys("createtime starttime startedat reviewtime ratingtime".split(), 0.7),
}
# Times of something else than the impression.
_OTHER_TIMES = frozenset(
    "conversion register registered registration signup birth birthday joined join "
    "upload uploaded publish published release released launch update updated modified "
    "expire expires end last first previous next deleted load loaded ingest".split()
)
_FIRST_LAUNCH = re.compile(
    r"(regist\w*|sign_?up|join(ed)?|first_(launch|seen|visit)|created?_user|install)"
    r".*|user_(created|since).*"
)
_UPLOAD = re.compile(r".*(upload|publish|release|posted|item_created).*")
_OUTCOME = re.compile(
    r"(?:^|_)(?:click\w*|like[ds]?|dislike\w*|follow\w*|share[ds]?|comment\w*|forward\w*|"
    r"hate\w*|play\w*|watch\w*|view_?time|dwell\w*|stay\w*|skip\w*|conver\w*|purchas\w*|"
    r"buy|bought|order\w*|transact\w*|cart|fav\w*|collect\w*|save[ds]?|subscrib\w*|"
    r"rating|stars?|score|review\w*|helpful\w*|vote\w*|attribut\w*|revenue|gmv|cpo|cost|"
    r"label|target|finish\w*|complet\w*|duration_watched|read_time|long_view|enter\w*|"
    r"reward|feedback|action|behaviou?r|event_?type|event|install\w*|download\w*)(?:_|$)"
)
_LABEL_WORDS: dict[str, float] = {
    **dict.fromkeys("click clicked longview label target y".split(), 1.0),
    **dict.fromkeys("conversion converted purchase purchased buy bought".split(), 0.9),
    **dict.fromkeys("like liked follow followed share shared comment".split(), 0.9),
    **dict.fromkeys("favorite favourite fav collect saved save subscribe".split(), 0.9),
    **dict.fromkeys("forward finish finished complete completed".split(), 0.8),
    **dict.fromkeys("cart addtocart order ordered install download".split(), 0.8),
    **dict.fromkeys("profileenter engaged engagement watched read".split(), 0.7),
}
_RATINGS = frozenset(
    "rating ratings stars star score overall grade reviewscore starrating".split()
)


def words(name: str) -> list[str]:
    """The words of a name in small letters, without digits: "userId2" is user, id."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[^a-z]+", spaced.lower()) if word]


def snake(name: str) -> str:
    """A name in small letters with underscores between its words."""
    return "_".join(words(name))


def role_score(name: str, role: str) -> float:
    """How much a name points at a role, 0 to 1.

    Args:
        name: Of a column.
        role: user, item, author or tags.
    """
    nouns = NOUNS[role]
    rest = [word for word in words(name) if word not in _FILLERS]
    has_id = len(rest) > 1 and any(word in _ID_WORDS for word in rest)
    noun = "".join(word for word in rest if word not in _ID_WORDS)
    if noun in nouns and (has_id or len(noun) > 1):
        return nouns[noun]
    if len(rest) == 1:
        for ending in ("id", "ids", "key", "code", "no"):
            stem = rest[0].removesuffix(ending)
            if stem != rest[0] and stem in nouns:
                return nouns[stem]
    return 0.0


def time_score(name: str) -> float:
    """How much a name says that it is when the impression was, 0 to 1."""
    parts = words(name)
    if any(word in _OTHER_TIMES for word in parts):
        return 0.0
    whole = "".join(parts)
    known = _EVENT_TIMES.get(whole, 0.0)
    if known:
        return known
    timely = {"time", "timestamp", "ts", "date", "at", "datetime", "day"}
    return 0.5 if timely & {*parts} else 0.0


def is_first_launch(name: str) -> bool:
    """Whether a time is when a user came."""
    return bool(_FIRST_LAUNCH.fullmatch(snake(name)))


def is_upload(name: str) -> bool:
    """Whether a time is when a video, or what stands for it, came."""
    return bool(_UPLOAD.fullmatch(snake(name)))


def is_outcome(name: str) -> bool:
    """Whether a column tells what came of an impression, or only the future knows."""
    return bool(_OUTCOME.search(snake(name)))


def label_score(name: str) -> float:
    """How much a name says that a 0/1 column is what a model should predict."""
    parts = [word for word in words(name) if word not in ("is", "has", "was", "did")]
    return _LABEL_WORDS.get("".join(parts), 0.0)


def is_rating(name: str) -> bool:
    """Whether a number is what a user thought of it."""
    return "".join(words(name)) in _RATINGS


def is_known_word(name: str) -> bool:
    """Whether a cell is a column's name rather than a value, as far as words tell."""
    if any(letter.isdigit() for letter in name):  # user_000001 is a value
        return False
    return (
        any(role_score(name, role) >= 0.6 for role in NOUNS)
        or time_score(name) > 0
        or label_score(name) > 0
        or is_rating(name)
    )
