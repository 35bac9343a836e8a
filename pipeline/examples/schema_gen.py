"""`ContractSchemaGen`: the examples' schema, from the configuration."""

import os

from google.protobuf import text_format
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import standard_artifacts

from pipeline.config import InputConfig
from pipeline.examples.schema import example_schema


@component
def ContractSchemaGen(
    config: Parameter[str],
    schema: OutputArtifact[standard_artifacts.Schema],
) -> None:
    """Writes the schema that the feature contract promises; `config`: `InputConfig`.

    TFX's own SchemaGen infers one from the statistics, which loses columns that are
    null all day and by construction finds no anomaly in the same statistics.
    """
    proto = example_schema(InputConfig.model_validate_json(config))
    with fileio.open(os.path.join(schema.uri, "schema.pbtxt"), "w") as file:
        file.write(text_format.MessageToString(proto))
