"""The roles of a sample's columns, and the configuration that follows from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from preprocessing.log_guess.days import guess_split
from preprocessing.log_guess.durations import guess_durations
from preprocessing.log_guess.entities import guess_entity, needed_entity
from preprocessing.log_guess.event_time import (
    TimeReading,
    seconds_from_start,
    time_readings,
    zone_offset_hours,
)
from preprocessing.log_guess.further_features import guess_features
from preprocessing.log_guess.guess import (
    ExtraGuess,
    Guess,
    LabelGuess,
    LogGuess,
    UnusableLogError,
)
from preprocessing.log_guess.impression_lists import FIELDS
from preprocessing.log_guess.labels import guess_labels
from preprocessing.log_guess.log_sample import LogSample
from preprocessing.log_guess.named_sample import NamedSample, name_sample
from preprocessing.log_guess.one_class import NOTE, one_class_label
from preprocessing.log_guess.profiles import ColumnProfile, profile_columns
from preprocessing.log_guess.run_settings import run_settings
from preprocessing.log_guess.source_entries import source_entries
from preprocessing.log_guess.tags import guess_tags
from preprocessing.log_guess.vocabulary import is_first_launch, is_upload

Choose = Callable[[Guess], Guess]


def guess_columns(
    sample: LogSample, log: str, choose: Choose | None = None
) -> LogGuess:
    """Guesses everything about a sample of files of one layout.

    Args:
        sample: Some rows of the log.
        log: What messages call the log.
        choose: Asked about guesses that are not sure.

    Raises:
        UnusableLogError: There is no user, item, time or label.
    """
    named = name_sample(sample)
    roles = _Roles(profile_columns(named.table, True), log, choose or (lambda g: g))
    time, event = roles.take_event_time()
    user = roles.take(needed_entity("user", roles.free, log))
    item = roles.take(_item(roles, named, log))
    times = roles.take_other_times()
    author = guess_entity("author", roles.free)
    durations = guess_durations(roles.free)
    keys = [roles.by_name[user.column], roles.by_name[item.column]]
    labels, further, warnings = _labels(roles, keys, durations, log)
    columns = [user, item, event, *times, *durations]
    roles.use({name for guess in (*labels, *further) for name in guess.reads})
    roles.use({guess.column for guess in durations})
    if author and author.column in {p.name for p in roles.free}:
        columns.append(roles.take(author))
    tags = guess_tags(roles.free)
    if tags:
        columns.append(roles.take(tags[0]))
    again = roles.take_time_again(time)
    extras, left_out = guess_features(roles.free, keys[0], keys[1], labels)
    left_out = [*again, *left_out]
    offset = zone_offset_hours(time, roles.readings)
    split = guess_split(
        time.times_ms, keys[0].codes, offset or 0.0, named.total_rows, sample.to_end
    )
    settings = run_settings(
        named, columns, labels, extras, split, offset, roles.by_name
    )
    return LogGuess(
        source=source_entries(sample, named, tags[1] if tags else ""),
        columns=tuple(_mapped(columns, labels, extras)),
        labels=tuple(labels),
        further_labels=tuple(further),
        extras=tuple(extras),
        left_out=tuple(left_out),
        features=settings.features,
        split=split.entries,
        split_why=split.why,
        split_sure=split.sure,
        vocabularies=settings.vocabularies,
        training=settings.training,
        notes=(*named.notes, *warnings, *settings.notes),
        sampled=named.described,
    )


def _labels(
    roles: _Roles, keys: list[ColumnProfile], durations: list[Guess], log: str
) -> tuple[list[LabelGuess], list[LabelGuess], list[str]]:
    """Labels to train on, further ones, and what must be said of them."""
    labels, further = guess_labels(roles.free, keys, durations)
    if labels:
        return labels, further, []
    label = one_class_label([*roles.by_name, log], keys[0].rows)
    if label is None:
        raise UnusableLogError(_no_label(log, roles.free))
    return [label], [], [NOTE.format(action=label.name)]


class _Roles:
    """Columns, and which of them have a role already."""

    def __init__(self, profiles: list[ColumnProfile], log: str, choose: Choose):
        self.by_name = {profile.name: profile for profile in profiles}
        self.readings = time_readings(profiles)
        self._used: set[str] = set()
        self._log = log
        self._choose = choose

    @property
    def free(self) -> list[ColumnProfile]:
        """Columns without a role."""
        return [p for p in self.by_name.values() if p.name not in self._used]

    def take(self, guess: Guess) -> Guess:
        """Gives a column its role; asks where the guess is not sure."""
        if not guess.sure and guess.alternatives:
            guess = self._choose(guess)
        self._used.add(guess.column)
        return guess

    def use(self, names: set[str]) -> None:
        """Takes columns out of those that are free."""
        self._used |= names

    def take_event_time(self) -> tuple[TimeReading, Guess]:
        """When the impression was."""
        scored = [reading for reading in self.readings if reading.score > 0]
        if not scored:
            relative = seconds_from_start(self.free)
            if relative is None:
                raise UnusableLogError(_no_time(self._log, self.free))
            scored = [relative]
        best = scored[0]
        others = [r for r in scored[1:] if r.score > best.score - 0.3]
        guess = Guess(
            "event_time_ms",
            best.origin,
            best.profile.name,
            best.what,
            best.score >= 0.5 and not any(r.score == best.score for r in others),
            tuple((r.origin, r.what) for r in others),
        )
        chosen = self.take(guess)
        if isinstance(chosen.origin, dict):
            self._used |= {str(chosen.origin.get("time", ""))}
        reading = next(r for r in scored if r.origin == chosen.origin)
        return reading, chosen

    def take_time_again(self, event: TimeReading) -> list[tuple[str, str]]:
        """Columns that say once more when the impression was, if only its day."""
        free = {profile.name for profile in self.free}
        found = []
        for reading in self.readings:
            apart = reading.times_ms - event.times_ms
            apart = apart[~np.isnan(apart)]
            name = reading.profile.name
            if name in free and len(apart) and (np.abs(apart) < 1.6 * 86_400_000).all():
                found.append((name, "the event time, or its day, once more"))
                self._used.add(name)
        return found

    def take_other_times(self) -> list[Guess]:
        """When the user and the item came, where the log says so."""
        free = {profile.name for profile in self.free}
        guesses = []
        for name, fits in (
            ("user_first_launch_ms", is_first_launch),
            ("video_upload_ms", is_upload),
        ):
            for r in self.readings:
                if r.profile.name in free and fits(r.profile.name):
                    why = f"the name says so; {r.what}"
                    guesses.append(
                        self.take(Guess(name, r.origin, r.profile.name, why))
                    )
                    break
        return guesses


def _item(roles: _Roles, named: NamedSample, log: str) -> Guess:
    if named.exploded is None:
        return needed_entity("item", roles.free, log)
    entry = named.exploded
    why = f"the first part of each entry of {entry['column']}"
    return Guess(FIELDS[0], FIELDS[0], FIELDS[0], why)


def _mapped(
    columns: list[Guess], labels: list[LabelGuess], extras: list[ExtraGuess]
) -> list[Guess]:
    """What `source.columns` says: the contract's columns, labels', renamed features."""
    made = [
        Guess(name, origin, "", f"for the label {label.name}")
        for label in labels
        for name, origin in label.columns.items()
    ]
    renamed = [
        Guess(extra.name, extra.column, extra.column, "a name that can be used")
        for extra in extras
        if extra.name != extra.column
    ]
    return [*columns, *made, *renamed]


def _no_time(log: str, profiles: list[ColumnProfile]) -> str:
    received = ", ".join(p.name for p in profiles)
    return (
        f"{log}: no column says when an impression was: looked for numbers of s, ms, "
        "us or ns since 1970, timestamps, ISO 8601 and other dates under names such as "
        f"timestamp, time, ts, date, created_at. Received: {received}"
    )


def _no_label(log: str, profiles: list[ColumnProfile]) -> str:
    received = ", ".join(f"{p.name} ({p.distinct:,} values)" for p in profiles)
    return (
        f"{log}: nothing could be a label: looked for 0/1 columns such as click or "
        "is_like, behaviours in words (pv, cart, buy), a rating, watching times. "
        f"Received beside user, item and time: {received or 'no other column'}"
    )
