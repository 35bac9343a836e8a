from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import standard_artifacts

from pipeline.config import InputConfig
from pipeline.examples.schema import example_schema
from pipeline.examples.schema_gen import ContractSchemaGen
from tests.helpers.small_transform import settings_with


def test_the_written_schema_is_that_of_the_part(tmp_path):
    config = settings_with()
    artifact = standard_artifacts.Schema()
    artifact.uri = str(tmp_path)
    part = config.part(InputConfig).model_dump_json()
    component = ContractSchemaGen(config=part)
    run = component.executor_spec.executor_class()
    run.Do({}, {"schema": [artifact]}, {"config": part})
    written = text_format.Parse(
        (tmp_path / "schema.pbtxt").read_text(), schema_pb2.Schema()
    )
    assert written == example_schema(config)
