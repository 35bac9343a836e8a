"""Columns that say in words what a user did: pv, cart, fav, buy."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from preprocessing.log_guess.guess import LabelGuess
from preprocessing.log_guess.profiles import ColumnProfile
from preprocessing.log_guess.word_lists import each_word, word_set

_MOST_VALUES = 30
# From what merely happened to what is worth most.
_SHOWN = word_set(
    "pv view views viewed impression impressions show shown exposure expose display "
    "pageview browse detail seen visit see"
)
_CLICKED = word_set("click clicks clicked open opened tap clk")
_WORTH_MORE: dict[str, str] = {
    **each_word(
        "buy bought purchase purchased purchases order ordered transaction checkout "
        "pay payment paid conversion convert alipay",
        "buy",
    ),
    **each_word("cart addtocart addcart basket addtobasket carts", "cart"),
    **each_word("fav favorite favourite favor collect save bookmark", "favorite"),
    **each_word("wishlist addtowishlist", "favorite"),
    **each_word("like likes liked upvote thumbsup love", "like"),
    **each_word("share shared forward repost retweet", "share"),
    **each_word("comment reply commented", "comment"),
    **each_word("follow subscribe followed", "follow"),
    **each_word("download install downloaded", "download"),
    **each_word("finish finished complete completed", "finish"),
}
_NOT = word_set("skip skipped dislike hate unlike remove cancel refund")
_RARE = 0.03


def is_behaviour_column(profile: ColumnProfile) -> bool:
    """Whether cells are words for what a user did, two different ones at least."""
    if (
        profile.is_number
        or profile.is_list
        or not 2 <= profile.distinct <= _MOST_VALUES
    ):
        return False
    kinds = {_kind(value) for value in profile.values}
    rows = sum(n for value, n in profile.values.items() if _kind(value))
    return len(kinds - {""}) >= 2 and rows >= 0.5 * sum(profile.values.values())


def behaviour_labels(profiles: list[ColumnProfile]) -> list[LabelGuess]:
    """A label of all that is worth more than a view, and one of what is worth most."""
    for profile in profiles:
        if is_behaviour_column(profile):
            return _labels(profile)
    return []


def _labels(profile: ColumnProfile) -> list[LabelGuess]:
    as_written = _as_written(profile)
    kinds = {value: _kind(value) for value in as_written}
    strong = [v for v, kind in kinds.items() if kind not in ("", "shown", "not")]
    if (
        any(kinds[v] not in ("click",) for v in strong)
        and "shown" not in kinds.values()
    ):
        strong = [v for v in strong if kinds[v] != "click"]
    labels = []
    if len({kinds[v] for v in strong}) > 1:
        labels.append(_label("engaged", strong, profile, "anything beyond a view"))
    for kind in ("buy", "cart", "favorite", "like", "follow", "click"):
        values = [v for v in strong if kinds[v] == kind]
        if values and (kind == "buy" or not labels or kind in ("click", "like")):
            labels.append(_label(kind, values, profile, "these rows"))
    if not labels and strong:
        labels.append(_label("engaged", strong, profile, "anything beyond a view"))
    return labels


def _label(
    name: str, values: list[str], profile: ColumnProfile, what: str
) -> LabelGuess:
    chosen = {value.lower() for value in values}
    texts = profile.texts.to_pylist()
    positive = np.array(
        [np.nan if t is None else float(t.lower() in chosen) for t in texts]
    )
    share = float(np.nanmean(positive))
    column = f"is_{name}" if name not in ("like", "follow") else f"did_{name}"
    origin: Mapping[str, object] = {"column": profile.name, "equals": values}
    shown = ", ".join(f"{v} {n / profile.rows:.0%}" for v, n in profile.values.items())
    return LabelGuess(
        name,
        {"column": column},
        f"{what}: {share:.1%} ({profile.name} is {shown[:80]})",
        True,
        0.5 if share < _RARE else 1.0,
        {column: origin},
        (profile.name,),
        positive,
    )


def _as_written(profile: ColumnProfile) -> list[str]:
    """The distinct cells with their capitals, the most frequent first."""
    cells = [cell for cell in profile.texts.unique().to_pylist() if cell]
    return sorted(cells, key=lambda c: (-profile.values.get(c.lower(), 0), c))


def _kind(value: str) -> str:
    """shown, click, not, or what it is worth; "" for other words."""
    word = re.sub(r"[^a-z]", "", value.lower())
    for words, kind in ((_SHOWN, "shown"), (_CLICKED, "click"), (_NOT, "not")):
        if word in words:
            return kind
    for ending in ("item", "product", "page", "event", "video", "article"):
        word = word.removesuffix(ending)
    if word in _SHOWN:
        return "shown"
    return "click" if word in _CLICKED else _WORTH_MORE.get(word, "")
