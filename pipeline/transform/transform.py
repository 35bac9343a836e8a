"""`Transform`: TFX's Transform for one machine."""

import json

import apache_beam as beam
import tensorflow_transform as tft
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils

from pipeline.examples.day_split import TRAIN
from pipeline.transform.transform_graph import feature_spec, write_transform_graph
from pipeline.transform.transformed_examples import write_transformed_examples


@component(use_beam=True)
def Transform(
    custom_config: Parameter[str],
    examples: InputArtifact[standard_artifacts.Examples],
    schema: InputArtifact[standard_artifacts.Schema],
    transform_graph: OutputArtifact[standard_artifacts.TransformGraph],
    transformed_examples: OutputArtifact[standard_artifacts.Examples],
    earlier: InputArtifact[standard_artifacts.TransformGraph] = None,
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Analyzes the training split and transforms all splits.

    The artifacts are those of TFX's Transform. `custom_config` is what
    `transform_custom_config` returns, as JSON; the vocabularies of the graph `earlier`
    grow.
    """
    config = json.loads(custom_config)
    proto = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema.uri))
    output = write_transform_graph(
        transform_graph.uri,
        artifact_utils.get_split_uri([examples], TRAIN),
        proto,
        config,
        beam_pipeline,
        tft.TFTransformOutput(earlier.uri) if earlier else None,
    )
    transformed_examples.split_names = examples.split_names
    for split in artifact_utils.decode_split_names(examples.split_names):
        write_transformed_examples(
            artifact_utils.get_split_uri([transformed_examples], split),
            artifact_utils.get_split_uri([examples], split),
            output,
            feature_spec(proto),
        )
