"""Words by which columns of logs are called, and which role each points at."""

from __future__ import annotations

import re

from preprocessing.log_guess.word_lists import each_word, word_set

# What a name may say beside its noun without changing what it names.
_ID_WORDS = word_set("id ids key no num number code hash uuid guid pk fk sk")
_FILLERS = word_set("the dim fact raw main encrypted hashed anon anonymized")

NOUNS: dict[str, dict[str, float]] = {
    "user": {
        **each_word("user usr u member visitor customer cust", 1.0),
        **each_word("reviewer viewer subscriber listener reader", 1.0),
        **each_word("buyer shopper player consumer guest person", 0.9),
        **each_word("account client profile passenger audience", 0.8),
        **each_word("fullvisitor anonymous distinct mid", 0.7),
        **each_word("device cookie browser imei", 0.6),
        **each_word("session", 0.3),
    },
    "item": {
        **each_word("item video product prod article news movie film", 1.0),
        **each_word("song track music photo clip sku asin isbn book", 1.0),
        **each_word("ad advert advertisement creative banner post", 0.9),
        **each_word("note content doc document story listing goods", 0.9),
        **each_word("episode show app game recipe poi venue hotel", 0.9),
        **each_word("business question course live stream pin tweet", 0.8),
        **each_word("property job place deal feed title tra i v n p g", 0.7),
        **each_word("parentasin adgroup offer campaign media asset", 0.6),
        **each_word("page url status category", 0.3),
    },
    "author": {
        **each_word("author artist creator publisher uploader", 1.0),
        **each_word("channel seller shop store merchant brand", 0.9),
        **each_word("advertiser host writer studio vendor provider", 0.8),
        **each_word("manufacturer art anchor supplier", 0.6),
    },
    "tags": {
        **each_word("tag tags genre genres topic topics keywords", 1.0),
        **each_word("categories labels interests subjects", 0.8),
    },
}

_EVENT_TIMES: dict[str, float] = {
    **each_word("eventtime eventtimestamp timestamp ts time eventts datetime", 1.0),
    **each_word("timems timestampms unixreviewtime unixtime epoch epochms", 1.0),
    **each_word("occurredat occurred happenedat servertime", 1.0),
    **each_word("clicktime viewtime viewedat impressiontime showtime", 0.9),
    **each_word("requesttime exposetime playtime createdat utctime", 0.8),
    **each_word("date day dt ds eventdate hitdate logtime t utc", 0.7),
    **each_word("createtime starttime startedat reviewtime ratingtime", 0.7),
}
# Times of something else than the impression.
_OTHER_TIMES = word_set(
    "conversion register registered registration signup birth birthday joined join "
    "upload uploaded publish published release released launch update updated modified "
    "expire expires end last first previous next deleted load loaded ingest"
)
_FIRST_LAUNCH = re.compile(
    r"(?:user_)?(regist\w*|sign_?up|join(ed)?|first_(launch|seen|visit)|created?_user|install)"
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
    **each_word("click clicked longview label target y", 1.0),
    **each_word("conversion converted purchase purchased buy bought", 0.9),
    **each_word("like liked follow followed share shared comment", 0.9),
    **each_word("favorite favourite fav collect saved save subscribe", 0.9),
    **each_word("forward finish finished complete completed", 0.8),
    **each_word("cart addtocart order ordered install download", 0.8),
    **each_word("profileenter engaged engagement watched read", 0.7),
}
_BEFORE = word_set("since last previous prev past prior historical hist before ago")
_REQUESTS = word_set(
    "session request trace impression event log row order transaction search query "
    "record message visit hit"
)
_RATINGS = word_set(
    "rating ratings stars star score overall grade reviewscore starrating"
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
    if _BEFORE & {*words(name)}:  # time_since_last_click was known
        return False
    return bool(_OUTCOME.search(snake(name)))


def label_score(name: str) -> float:
    """How much a name says that a 0/1 column is what a model should predict."""
    parts = [word for word in words(name) if word not in ("is", "has", "was", "did")]
    return _LABEL_WORDS.get("".join(parts), 0.0)


def is_request_id(name: str) -> bool:
    """Whether a column numbers requests, sessions or rows."""
    parts = words(name)
    return parts[-1:] == ["id"] and bool(_REQUESTS & {*parts})


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
