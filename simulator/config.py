"""What may be set about a simulated feed."""

from dataclasses import dataclass
from datetime import date, datetime, timezone

DAY_MS = 86_400_000


@dataclass(frozen=True)
class SimulatorConfig:
    """Size, period and composition of a simulated impression log.

    The log's volume follows from `users` and `days`: about 4.8 impressions a user and
    day, so that the defaults give about 150,000.

    Args:
        seed: the same seed gives the same log, to the byte.
        users: users of the feed, newcomers included; the least active of them may not
            show up within the period.
        videos: videos in the catalogue, those uploaded during the log included.
        authors: authors of the videos.
        days: length of the log. Users who leave, are silent for seven whole days and
            return within it need at least 9.
        start_date: the log's first day, UTC.
        new_user_share: share of the impressions, of the log and of each day, that go
            to users within 24 hours of their first launch.
        newcomers: share that is kept of the users who first launch within the log and
            before its last day; the others are left out with all their impressions.
            At 0.1 new users make about 0.5 % of the impressions before the last day,
            and on it as many as ever, but for those who had launched the day before.
        corrupt_share: share of rows that break the contract on purpose, to show
            rejects: missing ids or times, negative durations, duplicates.

    Raises:
        ValueError: a value is outside its range.
    """

    seed: int = 17
    users: int = 3200
    videos: int = 3000
    authors: int = 300
    days: int = 10
    start_date: date = date(2024, 3, 4)
    new_user_share: float = 0.05
    newcomers: float = 1.0
    corrupt_share: float = 0.0

    def __post_init__(self) -> None:
        for name, least in {
            "seed": 0,
            "users": 100,
            "videos": 100,
            "authors": 10,
            "days": 1,
        }.items():
            value = getattr(self, name)
            if value < least:
                raise ValueError(
                    f"`{name}` must be at least {least}. Received: {value}"
                )
        for name, limit in {"new_user_share": 0.5, "corrupt_share": 1.0}.items():
            value = getattr(self, name)
            if not 0.0 <= value < limit:
                raise ValueError(f"`{name}` must be in [0, {limit}). Received: {value}")
        if not 0.0 <= self.newcomers <= 1.0:
            raise ValueError(
                f"`newcomers` must be in [0, 1]. Received: {self.newcomers}"
            )

    @property
    def start_ms(self) -> int:
        """The log's first millisecond, as UTC epoch time."""
        midnight = datetime.combine(
            self.start_date, datetime.min.time(), tzinfo=timezone.utc
        )
        return int(midnight.timestamp()) * 1000

    @property
    def end_ms(self) -> int:
        """The first millisecond after the log."""
        return self.start_ms + self.days * DAY_MS
