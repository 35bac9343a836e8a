"""TFX's Pusher, but that servers find a whole version or none."""

from __future__ import annotations

import os
import shutil
from typing import Any

from tfx.components.pusher import executor
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.types.standard_component_specs import (
    PUSH_DESTINATION_KEY,
    PUSHED_MODEL_KEY,
)
from tfx.utils import proto_utils

_PLACE, _VERSION = "pushed_destination", "pushed_version"
UNFINISHED = ".unfinished"  # servers look at folders with numbers for names


class WholePusher(executor.Executor):
    """Copies beside the versions, and gives the copy its number when it is complete.

    TFX copies file by file to where servers look. A push that is killed or runs out of
    disk then leaves a version there that no server can load and that stays the newest.
    For folders of this machine: an object store has no folders to rename.
    """

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See `tfx.components.pusher.executor.Executor`."""
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties[PUSH_DESTINATION_KEY], destination)
        serving_dir = destination.filesystem.base_directory
        unfinished = os.path.join(serving_dir, UNFINISHED)
        shutil.rmtree(unfinished, ignore_errors=True)  # of a push that was stopped
        destination.filesystem.base_directory = unfinished
        elsewhere = proto_utils.proto_to_json(destination)
        super().Do(
            input_dict,
            output_dict,
            {**exec_properties, PUSH_DESTINATION_KEY: elsewhere},
        )
        pushed = artifact_utils.get_single_instance(output_dict[PUSHED_MODEL_KEY])
        if version := pushed.get_string_custom_property(_VERSION):
            place = os.path.join(serving_dir, version)
            os.rename(os.path.join(unfinished, version), place)
            os.rmdir(unfinished)
            pushed.set_string_custom_property(_PLACE, place)
