"""Which of a log's other columns help a model, and which must not be shown to it."""

from __future__ import annotations

import re

from preprocessing.contract.column_names import (
    CONTRACT_COLUMNS,
    USER_FEATURES,
    USER_KEY,
    VIDEO_FEATURES,
)
from preprocessing.contract.names import check_name
from preprocessing.log_guess.event_time import time_readings
from preprocessing.log_guess.guess import ExtraGuess, LabelGuess
from preprocessing.log_guess.leaks import SUSPICIOUS_AUC, label_auc
from preprocessing.log_guess.profiles import ColumnProfile, decides
from preprocessing.log_guess.vocabulary import is_outcome, is_request_id, words

_MOST = 20
_DECIDED = 0.98
_LOOKED_AT = 500
_CATEGORIES = 100  # whole numbers of more distinct values are amounts
_TAKEN = {*CONTRACT_COLUMNS, *VIDEO_FEATURES, *USER_FEATURES, USER_KEY, "sample_weight"}


def guess_features(
    profiles: list[ColumnProfile],
    user: ColumnProfile | None,
    item: ColumnProfile | None,
    labels: list[LabelGuess],
) -> tuple[list[ExtraGuess], list[tuple[str, str]]]:
    """Further features, and the columns left out with the reason for each.

    Args:
        profiles: Columns without another role.
        user: The user's column.
        item: The item's column.
        labels: What is to be predicted.
    """
    extras: list[ExtraGuess] = []
    left_out: list[tuple[str, str]] = []
    names = {label.name.lower() for label in labels} | {n.lower() for n in _TAKEN}
    names |= {str(label.label.get("column", "")).lower() for label in labels}
    for profile in profiles:
        reason = _why_not(profile, user, item, labels)
        if not reason and len(extras) >= _MOST:
            reason = f"there are {_MOST} features already"
        if reason:
            left_out.append((profile.name, reason))
            continue
        entity, why = _entity(profile, user, item)
        kind = _kind(profile)
        name = _free_name(profile.name, entity, names)
        names.add(name.lower())
        why = f"{why}; {profile.facts}"
        extras.append(ExtraGuess(name, profile.name, entity, kind, why))
    return extras, left_out


def _why_not(
    profile: ColumnProfile,
    user: ColumnProfile | None,
    item: ColumnProfile | None,
    labels: list[LabelGuess],
) -> str:
    if profile.name in CONTRACT_COLUMNS:
        return "a column of the contract, which is read by its name"
    if profile.distinct <= 1:
        return "constant" if profile.null_share < 1 else "all null"
    if profile.null_share > 0.95:
        return f"{profile.null_share:.1%} null"
    if is_request_id(profile.name):
        return "it numbers requests or rows"
    if re.fullmatch(r"column_\d+", profile.name) and profile.is_number:
        return "what these numbers are is not known: name them in source.header"
    if is_outcome(profile.name):
        return "the name says that it is known only after the impression"
    if profile.is_timestamp or _is_other_time(profile):
        return "a time of something else than the impression"
    for label in labels:
        auc = label_auc(profile, label.positive)
        if auc > SUSPICIOUS_AUC:
            return f"it gives the label {label.name} away (AUC {auc:.3f} alone)"
    if item and _lists_items(profile, item):
        return "lists of items: the pipeline keeps each user's history itself"
    if _is_free_text(profile):
        return "free text"
    for key, called in ((item, "item"), (user, "user")):
        is_name = not profile.is_list and not _is_measured(profile)
        if key and is_name and _names(profile, key):
            return f"another name of the {called}: one value for each"
    is_code = not profile.is_list and not _is_amount(profile)
    if is_code and profile.distinct > 0.5 * profile.rows and profile.rows > 20:
        return "nearly every row has a value of its own"
    return ""


def _lists_items(profile: ColumnProfile, item: ColumnProfile) -> bool:
    """Whether text cells hold several ids of items."""
    if profile.is_list or profile.is_number or profile is item:
        return False
    items = {*item.texts.unique().to_pylist()}
    cells = [cell for cell in profile.texts[:_LOOKED_AT].to_pylist() if cell]
    entries = [entry for cell in cells for entry in re.split(r"[ ,;|]+", cell)]
    known = sum(entry in items for entry in entries)
    return len(entries) > len(cells) and known > 0.3 * len(entries)


def _names(profile: ColumnProfile, key: ColumnProfile) -> bool:
    """Whether there is one value for each key and one key for each value."""
    return (
        profile.distinct > 0.8 * key.distinct
        and decides(key, profile) >= _DECIDED
        and decides(profile, key) >= _DECIDED
    )


def _is_other_time(profile: ColumnProfile) -> bool:
    return any(reading.profile is profile for reading in time_readings([profile]))


def _is_free_text(profile: ColumnProfile) -> bool:
    if profile.is_number or profile.is_list:
        return False
    named = {
        "title",
        "text",
        "description",
        "abstract",
        "summary",
        "url",
        "body",
        "query",
    }
    return profile.mean_length > 40 or bool(named & {*words(profile.name)})


def _entity(
    profile: ColumnProfile, user: ColumnProfile | None, item: ColumnProfile | None
) -> tuple[str, str]:
    by_item = decides(item, profile) if item else 0.0
    by_user = decides(user, profile) if user else 0.0
    if max(by_item, by_user) < _DECIDED:
        return "context", "it changes from row to row of a user and of an item"
    if by_item >= by_user:
        return "video", f"one value per item in {by_item:.0%} of them"
    return "user", f"one value per user in {by_user:.0%} of them"


def _kind(profile: ColumnProfile) -> str:
    if profile.is_list:
        return "list"
    return "numeric" if _is_amount(profile) else "categorical"


def _is_measured(profile: ColumnProfile) -> bool:
    return profile.is_number and not profile.is_whole


def _is_amount(profile: ColumnProfile) -> bool:
    """Numbers that are measured or counted, no codes."""
    if not profile.is_number or profile.is_flag:
        return False
    if {"id", "code", "cat", "category", "type", "zip", "zipcode"} & {
        *words(profile.name)
    }:
        return False
    return not profile.is_whole or profile.distinct > _CATEGORIES


def _free_name(column: str, entity: str, taken: set[str]) -> str:
    """The column's own name, or one like it that a configuration can use."""
    name = re.sub(r"\W+", "_", column, flags=re.ASCII).strip("_")[:50]
    if not name or not name[0].isalpha():
        name = f"column_{name}"
    try:
        check_name(name)
    except ValueError:
        name = f"{name}_value"
    if name.lower() in taken:
        name = f"log_{name}"
    while name.lower() in taken:
        name = f"{name}_{entity}"
    return name
