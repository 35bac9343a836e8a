"""What is known of users, by id: the state that the feature engine's last run left."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from preprocessing.config import FeatureConfig
from preprocessing.online_features import user_features_at
from preprocessing.state import USER_STATE_SCHEMA, check_state
from preprocessing.state_files import open_state, read_state


class UserStore:
    """Gives a user's features at any moment after the state.

    The state is in memory. It does not change: what users do after it is seen once the
    next run's state is loaded.

        store = UserStore("monday", config.features)
        user = store.features("u00024", time_ms=1_700_000_000_000)

    Args:
        state_dir: Folder of the state, or of the run that wrote it; a path or a URI.
        config: The feature configuration that the model was trained with.

    Raises:
        StateError: There is no whole state, or it was made with another configuration.
    """

    def __init__(self, state_dir: str, config: FeatureConfig):
        self._config = config
        state = open_state(state_dir, config)
        tables = [USER_STATE_SCHEMA.empty_table()]
        tables += [table for file in state.user_files for table in read_state(file)]
        self._state = check_state(pa.concat_tables(tables), USER_STATE_SCHEMA)
        users = self._state["user_id"].to_pylist()
        self._row = {user_id: row for row, user_id in enumerate(users)}
        self.through_ms = state.info.through_ms

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._row

    def features(self, user_id: str, time_ms: int) -> dict[str, Any]:
        """The user's features at a moment, as the feature engine computes them.

        Args:
            user_id: The user; one who is not in the state has no history yet.
            time_ms: When, UTC; later than the state.

        Returns:
            `user_id` and the columns of `preprocessing.column_names.USER_FEATURES`,
            fit for the user's side of a `rank` request. Declared user features (a
            country, a device) are not in the state; the caller adds them.

        Raises:
            ValueError: The time is not later than the state.
        """
        if time_ms <= self.through_ms:
            raise ValueError(
                "`time_ms` must be later than the state's last impression, at "
                f"{self.through_ms}. Received: {time_ms}"
            )
        row = self._row.get(user_id)
        known = self._state.slice(0, 0) if row is None else self._state.slice(row, 1)
        features = user_features_at(user_id, time_ms, known, self._config)
        return {"user_id": user_id, **features}
