"""Names for the columns of a text that has no header line, by what is in them."""

from __future__ import annotations

import posixpath
import re

from preprocessing.log_guess.behaviours import is_behaviour_column
from preprocessing.log_guess.event_time import time_readings
from preprocessing.log_guess.impression_lists import is_impression_list
from preprocessing.log_guess.profiles import ColumnProfile, decides
from preprocessing.log_guess.vocabulary import is_known_word, role_score

_PREFIX = re.compile(r"([A-Za-z]+)[_-]?\d+")
# Amazon's numbers of products, and ISBNs of ten digits.
_PRODUCT = re.compile(r"B0[0-9A-Z]{8}|\d{9}[\dX]")
_LEAST_IDS = 5
_MOST_RATINGS = 21
_LOOKED_AT = 500
_DECIDED = 0.98


def name_columns(profiles: list[ColumnProfile], file_name: str) -> list[str]:
    """One name per column: of the file's own name, or by roles.

    Args:
        profiles: Of all columns.
        file_name: Some data sets put the columns' names there, hyphens between them.
    """
    told = posixpath.basename(file_name).split(".")[0].split("-")
    if len(told) == len(profiles) and all(map(is_known_word, told[:2])):
        return told
    names: dict[int, str] = {}
    readings = [r for r in time_readings(profiles) if not r.is_date]
    if readings:
        names[readings[0].profile.place] = "timestamp"
    for profile in profiles:
        name = "" if profile.place in names else _by_values(profile)
        if name and name not in names.values():
            names[profile.place] = name
    ids = [p for p in profiles if p.place not in names and _is_id(p)]
    repeated = [p for p in ids if p.distinct < 0.95 * p.rows]
    ids = repeated if len(repeated) > 1 else ids
    names.update(_id_names(ids, any(map(is_impression_list, profiles))))
    return [names.get(p.place, p.name) for p in profiles]


def _by_values(profile: ColumnProfile) -> str:
    if is_impression_list(profile):
        return "impressions"
    if is_behaviour_column(profile):
        return "behavior"
    if profile.is_flag:
        return "label"
    if profile.is_number and 3 <= profile.distinct <= _MOST_RATINGS:
        halves = all(float(value) * 2 % 1 == 0 for value in profile.values)
        if halves and profile.low >= 0 and 3 <= profile.high <= 10:
            return "rating"
    return ""


def _is_id(profile: ColumnProfile) -> bool:
    if profile.is_list or profile.distinct < _LEAST_IDS:
        return False
    if profile.is_number:
        return profile.is_whole and profile.low >= 0
    cells = profile.texts.drop_null()[:_LOOKED_AT].to_pylist()
    spaced = sum(" " in cell for cell in cells)
    return spaced < 0.1 * len(cells) and profile.mean_length <= 40


def _id_names(ids: list[ColumnProfile], items_in_lists: bool) -> dict[int, str]:
    """Who is the user, what the item, and which column groups items."""
    hints = {p.place: _hint(p) for p in ids}
    users = [p for p in ids if hints[p.place] == "user"]
    users = users or [p for p in ids if hints[p.place] != "item"]
    if not users:
        return {}
    user = users[0]
    names = {user.place: "user_id"}
    rest = [p for p in ids if p is not user and decides(user, p) < _DECIDED]
    if items_in_lists or not rest:
        return names
    items = [p for p in rest if hints[p.place] == "item"] or rest
    item = max(items, key=lambda p: (p.distinct, -p.place))
    names[item.place] = "item_id"
    for group in rest:
        coarser = 3 <= group.distinct * 1.2 < item.distinct
        if group is not item and coarser and decides(item, group) >= _DECIDED:
            names[group.place] = "item_group"
            break
    return names


def _hint(profile: ColumnProfile) -> str:
    """What the letters before an id's number say: U12 is a user, N12 news."""
    cells = profile.texts.drop_null()[:_LOOKED_AT].to_pylist()
    if cells and sum(bool(_PRODUCT.fullmatch(c)) for c in cells) > 0.9 * len(cells):
        return "item"
    prefixes = {
        m.group(1).lower() if (m := _PREFIX.fullmatch(c)) else "" for c in cells
    }
    if len(prefixes) != 1:
        return ""
    word = prefixes.pop()
    for role in ("user", "item"):
        if word and role_score(f"{word}_id", role) >= 0.6:
            return role
    return ""
