"""What is known of videos, by id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from preprocessing.contract.column_names import VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.online.features import compute_video_features_at
from preprocessing.sources.catalogue import read_video_rows, video_schema


class VideoCatalog:
    """Gives candidates' features at any moment, as the feature engine computes them.

    Author, tags, upload time and declared video features come from Parquet: a
    catalogue with one row per video, or the impression log itself, whose latest row of
    each video counts. They are kept in memory.

    Args:
        path: A file or a folder of files, a path or a URI. With None, nothing is known
            of any video but its id.
        config: The feature configuration that the model was trained with.

    Raises:
        SourceError: The files cannot be used.
    """

    def __init__(self, path: str | None, config: FeatureConfig):
        self._config = config
        if path is None:
            self._videos = video_schema(config).empty_table()
        else:
            self._videos = read_video_rows(path, config)
        ids = self._videos[VIDEO_ID].to_pylist()
        self._row = {video_id: row for row, video_id in enumerate(ids)}

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, video_id: str) -> bool:
        return video_id in self._row

    def rows(self, video_ids: Sequence[str]) -> pa.Table:
        """Candidates' own columns, by `sources.catalogue.video_schema`.

        Args:
            video_ids: The candidates [M]; all but the id of one that is not in the
                catalogue is null.
        """
        rows = [self._row.get(video_id) for video_id in video_ids]
        videos = self._videos.take(pa.array(rows, pa.int64()))
        place = videos.column_names.index(VIDEO_ID)
        ids = pa.array(video_ids, pa.string())
        return videos.set_column(place, videos.schema.field(place), ids)

    def features(
        self, video_ids: Sequence[str], impressions: Sequence[int], time_ms: int
    ) -> dict[str, list[Any]]:
        """Candidates' features at a moment.

        Args:
            video_ids: The candidates [M]; the author, tags and age of one that is not
                in the catalogue are unknown.
            impressions: Impressions of each so far [M], over all users.
            time_ms: When, UTC.

        Returns:
            `video_id`, `author_id`, `video_tags`, `video_age_hours`,
            `video_impressions`, `is_new_video` and declared video features, M values
            each, as the candidates' side of a `rank` request takes them.
        """
        videos = self.rows(video_ids)
        features = compute_video_features_at(videos, impressions, time_ms, self._config)
        listed = [f.name for f in videos.schema if pa.types.is_list(f.type)]
        for name in listed:
            features[name] = [value or [] for value in features[name]]
        return features
