"""Where a local run keeps what it makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunPaths:
    """The files and folders of a local run, all under one folder."""

    out: Path

    @property
    def pipeline_root(self) -> Path:
        """TFX artifacts."""
        return self.out / "pipeline"

    @property
    def trials(self) -> Path:
        """Results of the trials in the server, one numbered folder each."""
        return self.pipeline_root / "ServingValidator" / "blessing"

    @property
    def checkpoints(self) -> Path:
        """Trainings that are not finished, one folder each."""
        return self.pipeline_root / "training_checkpoints"

    @property
    def metadata(self) -> Path:
        """ML Metadata, an sqlite file."""
        return self.out / "metadata.sqlite"

    @property
    def serving(self) -> Path:
        """Pushed models, one numbered folder each: what a server is pointed at."""
        return self.out / "serving"

    @property
    def versions(self) -> list[Path]:
        """The folders of pushed models, the newest last: that one serves."""
        found = (place for place in self.serving.glob("*") if place.name.isdigit())
        return sorted(found, key=lambda place: int(place.name))

    @property
    def rejects(self) -> Path:
        """Rows that break the contract, with their reasons."""
        return self.out / "rejects"

    @property
    def requests(self) -> Path:
        """A `rank` request for a user of each group, as JSON files."""
        return self.out / "requests"

    @property
    def days(self) -> Path:
        """Which days are done, of a folder that is run day by day."""
        return self.out / "days.json"

    @property
    def written(self) -> tuple[Path, ...]:
        """All that a run writes; other files in the folder stay."""
        folders = (self.pipeline_root, self.serving, self.rejects, self.requests)
        return (*folders, self.metadata, self.days, self.log)

    @property
    def log(self) -> Path:
        """What the libraries underneath had to say."""
        return self.out / "run.log"
