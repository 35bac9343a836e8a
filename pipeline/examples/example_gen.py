"""`ImpressionExampleGen`: an impression log becomes examples, split by day or user.

TFX reuses cached examples only while neither the log's files nor the configuration have
changed.
"""

from __future__ import annotations

from typing import ClassVar

from google.protobuf import struct_pb2
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import (
    BaseChannel,
    Channel,
    standard_artifacts,
    standard_component_specs,
)
from tfx.types.component_spec import ChannelParameter

from pipeline.examples.executor import EARLIER_KEY, SPLITS, Executor
from pipeline.examples.places import LAST_DAY


class _Spec(standard_component_specs.FileBasedExampleGenSpec):
    INPUTS: ClassVar = {
        EARLIER_KEY: ChannelParameter(type=standard_artifacts.Examples, optional=True)
    }


class ImpressionExampleGen(FileBasedExampleGen):
    """Reads a log, computes point-in-time features and writes them as examples.

    Beside the splits' folders the examples artifact holds `log_summary.json` (rows in,
    examples, rejects by reason, impressions by day) and `state/`, what is known of
    users and videos after the log (`preprocessing.state.files`). Split by day, its
    custom properties `first_day` and `last_day` are the days of the splits, and each
    day has files of its own.

    Args:
        input_base: Folder (or file) of the log.
        config: A `LogConfig` as JSON.
        rejects_dir: Where rejected rows are kept. It lies outside the artifact, whose
            folder TFX removes when the run fails because of them.
        input_state: What the log's files are at the moment
            (`preprocessing.sources.input_files.input_state`), and those of `state_dir`:
            examples are made anew when it changes. Where it cannot be told beforehand,
            on a cluster, TFX's own fingerprint remains, which sees the folder's first
            level alone.
        of_features: Whether `input_base` is a ready feature table, what `poso features`
            wrote, in place of a log; state and rejects are then its own, and no other
            state, days or earlier examples can be given.
        state_dir: State that the log starts from, or the output folder that holds it;
            empty for what the source brings.
        last_day: Last day of the log that is read, as an ISO date in the calendar of
            the features, which is also the last to evaluate on; empty for the log's.
            Rows of later days are left out and counted as `other_days`.
        earlier: Examples of a run that ended before `last_day` (this component's
            output). Only the days after it are computed, from its state, and its files
            of the days that the splits still have are linked. Not with `state_dir`.
    """

    SPEC_CLASS = _Spec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        input_base: str,
        config: str,
        rejects_dir: str,
        input_state: str = "",
        *,
        of_features: bool = False,
        state_dir: str = "",
        last_day: str = "",
        earlier: BaseChannel | None = None,
    ):
        if state_dir and earlier is not None:
            raise ValueError("earlier examples bring their state: give no state_dir")
        if of_features and (state_dir or last_day or earlier is not None):
            raise ValueError(
                "a feature table has its state and its days: give no others"
            )
        settings = struct_pb2.Struct()
        settings.update(
            {
                "config": config,
                "rejects_dir": rejects_dir,
                "input_state": input_state,
                "of_features": of_features,
                "state_dir": state_dir,
                LAST_DAY: last_day,
            }
        )
        custom = example_gen_pb2.CustomConfig()
        custom.custom_config.Pack(settings)
        split = example_gen_pb2.SplitConfig.Split
        splits = example_gen_pb2.SplitConfig(
            splits=[split(name=name, hash_buckets=1) for name in SPLITS]
        )
        read = example_gen_pb2.Input.Split(name="log", pattern="*")
        spec = _Spec(
            input_base=input_base,
            input_config=example_gen_pb2.Input(splits=[read]),
            output_config=example_gen_pb2.Output(split_config=splits),
            output_data_format=example_gen_pb2.FORMAT_TF_EXAMPLE,
            output_file_format=example_gen_pb2.FORMAT_TFRECORDS_GZIP,
            custom_config=custom,
            examples=Channel(type=standard_artifacts.Examples),
            **({} if earlier is None else {EARLIER_KEY: earlier}),
        )
        # The class above makes a specification without inputs.
        super(FileBasedExampleGen, self).__init__(spec=spec)
