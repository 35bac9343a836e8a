"""What a user store needs of the storage that keeps its records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Swap:
    """A user's new record, which replaces the one that it was made from.

    Attributes:
        user_id: The user.
        before: The record that was read; None where there was none.
        after: The new one.
        impressions: Impressions to add to those of videos, by video id.
        counters: Numbers to add to further counts, by their name and by id.
    """

    user_id: str
    before: bytes | None
    after: bytes
    impressions: Mapping[str, int] = field(default_factory=dict)
    counters: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def added(self, counts: str) -> Iterator[tuple[str, str, int]]:
        """All that is added: the name of the counts, the id, and the number.

        Args:
            counts: Name of the counts of videos.
        """
        for name, numbers in ((counts, self.impressions), *self.counters.items()):
            for key, number in numbers.items():
                yield name, key, number


class RecordStorage(Protocol):
    """Keeps users' records, counts of videos, and notes on the whole.

    Counts of videos and of other ids (`serving.online.rate_counts`) are whole numbers
    of 64 bits under names.

    Users are independent: two writers of one user cannot both succeed, writers of
    different users do not wait for each other longer than a write takes. Every method
    raises `serving.protocol.errors.Unavailable` if the storage does not answer.
    """

    def read(self, user_ids: Sequence[str]) -> list[bytes | None]:
        """The users' records, in order; None where there is none."""

    def swap(self, swaps: Sequence[Swap], counts: str) -> list[bool]:
        """Writes records that have not changed meanwhile.

        Args:
            swaps: Each is done wholly or not at all, with its counts.
            counts: Name of the counts that the impressions are added to.

        Returns:
            Whether each was done.
        """

    def video_impressions(self, video_ids: Sequence[str], counts: str) -> list[int]:
        """Impressions of videos under a name; 0 where nothing was counted."""

    def set_video_impressions(
        self, impressions: Mapping[str, int], counts: str
    ) -> None:
        """Sets impressions of videos under a name."""

    def drop_video_impressions(self, counts: str) -> None:
        """Forgets all counts of a name."""

    def notes(self) -> dict[str, str]:
        """Texts kept beside the records."""

    def set_notes(self, notes: Mapping[str, str]) -> None:
        """Sets some of the texts, all at once."""

    def set_note_once(self, name: str, text: str) -> str:
        """Sets a text unless there is one; returns the one that stands."""

    def user_ids(self) -> Iterator[str]:
        """Every user who has a record; one may occur twice while others write."""

    def close(self) -> None:
        """Closes files and connections."""
