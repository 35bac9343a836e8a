import pytest
import yaml

from pipeline.runners.kubeflow import compile_for_kubeflow
from tests.helpers.small_transform import settings_with


def compiled(config, folder):
    path = folder / "pipeline.yaml"
    compile_for_kubeflow(
        config,
        path,
        image="registry.example/poso:1",
        data_dir="gs://bucket/log",
        pipeline_root="gs://bucket/runs",
        serving_dir="gs://bucket/serving",
    )
    return next(
        spec for spec in yaml.safe_load_all(path.read_text()) if "components" in spec
    )


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    return compiled(settings_with(), tmp_path_factory.mktemp("compiled"))


def test_tensorflow_serving_tries_the_model_before_the_push(spec):
    tasks = spec["root"]["dag"]["tasks"]
    assert "ServingValidator" not in tasks
    given = tasks["ServingInfraValidator"]["inputs"]
    parameters = {
        name: value["runtimeValue"]["constant"]
        for name, value in given["parameters"].items()
    }
    serving = yaml.safe_load(parameters["serving_spec"])
    assert serving["tensorflow_serving"]["tags"] == ["2.20.0"]
    assert "kubernetes" in serving
    assert serving["model_name"] == "ranker"
    requests = yaml.safe_load(parameters["request_spec"])
    assert requests["num_examples"] == 32
    assert requests["split_name"] == "eval"
    blessing = tasks["Pusher"]["inputs"]["artifacts"]["infra_blessing"]
    assert blessing["taskOutputArtifact"]["producerTask"] == "ServingInfraValidator"


def test_the_trial_can_be_left_out(tmp_path):
    config = settings_with(serving={"validation": {"enabled": False}})
    tasks = compiled(config, tmp_path)["root"]["dag"]["tasks"]
    assert "ServingInfraValidator" not in tasks
    assert "infra_blessing" not in tasks["Pusher"]["inputs"]["artifacts"]


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.yaml or \.json.*\.txt"):
        compile_for_kubeflow(
            settings_with(),
            tmp_path / "pipeline.txt",
            image="i",
            data_dir="d",
            pipeline_root="p",
            serving_dir="s",
        )
