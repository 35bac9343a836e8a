"""Which columns name the user, the item that is ranked, and who made the item."""

from __future__ import annotations

from preprocessing.log_guess.guess import Guess, UnusableLogError
from preprocessing.log_guess.profiles import ColumnProfile
from preprocessing.log_guess.vocabulary import NOUNS, role_score

_NEAR = 0.4  # of scores that leave a doubt
_PLAIN = 0.6
_NAMES = {"user": "user_id", "item": "video_id", "author": "author_id"}
_EXAMPLES = {
    "user": "user_id, uid, visitorid, member_id, customer",
    "item": "item_id, video_id, product, article, ad, track, movieId",
}


def guess_entity(role: str, profiles: list[ColumnProfile]) -> Guess | None:
    """The column that names a user, an item or an author.

    Args:
        role: user, item or author.
        profiles: Columns that have no other role yet.

    Returns:
        None where no name points at one.
    """
    scored = [(role_score(p.name, role), p) for p in profiles if _may_be_id(p)]
    scored = [(score, p) for score, p in scored if score > 0]
    if not scored:
        return None
    scored.sort(key=lambda each: (-each[0], -each[1].distinct, each[1].place))
    best, chosen = scored[0]
    others = [(score, p) for score, p in scored[1:] if score > best - _NEAR]
    return Guess(
        _NAMES[role],
        chosen.name,
        chosen.name,
        f"the name says {role}; {chosen.facts}",
        sure=best >= _PLAIN and not any(score >= _PLAIN for score, _ in others),
        alternatives=tuple((p.name, p.facts) for _, p in others),
    )


def needed_entity(role: str, profiles: list[ColumnProfile], log: str) -> Guess:
    """`guess_entity` of a user or item.

    Args:
        role: user or item.
        profiles: Columns that have no other role yet.
        log: What messages call the log.

    Raises:
        UnusableLogError: No column can be one.
    """
    guess = guess_entity(role, profiles)
    if guess is None:
        received = ", ".join(p.name for p in profiles)
        raise UnusableLogError(
            f"{log}: no column names the {role}: looked for such as {_EXAMPLES[role]} "
            f"({len(NOUNS[role])} words). Received: {received}"
        )
    return guess


def _may_be_id(profile: ColumnProfile) -> bool:
    if profile.is_list or profile.is_timestamp or profile.distinct < 2:
        return False
    return not profile.is_number or profile.is_whole
