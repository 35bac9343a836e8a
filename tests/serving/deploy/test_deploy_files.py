"""The files that a production server is started with are what they have to be."""

import re
from pathlib import Path

import kubernetes.client
import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

import serving
from serving.server.settings.batching_parameters_pb2 import BatchingParameters
from serving.server.settings.config_files_pb2 import MonitoringConfig

SERVING = Path(serving.__file__).parent
DEPLOY = SERVING / "deploy"
VERSION = "2.20.0"


def parsed(name, message):
    return text_format.Parse((DEPLOY / name).read_text(), message)


def documents(name):
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def kind(name, wanted):
    [found] = [doc for doc in documents(name) if doc["kind"] == wanted]
    return found


def test_models_are_looked_for_where_they_are_mounted():
    config = parsed("models.config", model_server_config_pb2.ModelServerConfig())
    [model] = config.model_config_list.config
    assert model.name == "ranker"
    assert model.base_path == "/models/ranker"
    assert model.model_version_policy.latest.num_versions == 2
    compose = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
    [volume] = compose["services"]["ranker"]["volumes"]
    assert volume["target"] == model.base_path
    pod = kind("kubernetes.yaml", "Deployment")["spec"]["template"]["spec"]
    mounts = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
    assert mounts["models"] == model.base_path


def test_allowed_batch_sizes_ascend_to_the_largest():
    batching = parsed("batching.config", BatchingParameters())
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == batching.max_batch_size.value
    assert batching.batch_timeout_micros.value > 0


def test_prometheus_asks_where_the_server_answers():
    config = parsed("monitoring.config", MonitoringConfig())
    assert config.prometheus_config.enable
    [job] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"]
    assert job["metrics_path"] == config.prometheus_config.path
    [target] = job["static_configs"][0]["targets"]
    compose = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
    name, port = target.split(":")
    assert name in compose["services"]
    assert port == "8501"


def test_the_image_has_every_file_that_its_command_names():
    dockerfile = (SERVING / "Dockerfile").read_text()
    assert f"FROM tensorflow/serving:{VERSION}\n" in dockerfile
    [line] = re.findall(r"^COPY (.*) /etc/serving/$", dockerfile, re.MULTILINE)
    copied = {Path(name).name for name in line.split()}
    assert all((SERVING / name).is_file() for name in line.split())
    named = set(re.findall(r"/etc/serving/([\w.]+)", dockerfile))
    assert named <= copied
    assert re.search(r"^USER (?!0|root)", dockerfile, re.MULTILINE)


def test_compose_mounts_files_that_exist():
    compose = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())
    [volume] = compose["services"]["prometheus"]["volumes"]
    assert (DEPLOY / volume.split(":")[0]).is_file()
    context = DEPLOY / compose["services"]["ranker"]["build"]
    assert (context / "Dockerfile").is_file()


@pytest.mark.parametrize(
    ("wanted", "model"),
    [
        ("Deployment", "V1Deployment"),
        ("Service", "V1Service"),
        ("PodDisruptionBudget", "V1PodDisruptionBudget"),
    ],
)
def test_manifests_are_of_the_kubernetes_api(wanted, model):
    assert unknown_keys(kind("kubernetes.yaml", wanted), model) == []


def test_a_wrong_key_of_a_manifest_would_be_found():
    manifest = kind("kubernetes.yaml", "Deployment")
    manifest["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    assert unknown_keys(manifest, "V1Deployment") == [
        "spec.template.spec.containers.livenessprobe"
    ]


def unknown_keys(value, model, place=""):
    """Keys that the API's type, named as in the Kubernetes client, does not have."""
    listed = re.fullmatch(r"list\[(.*)\]", model)
    if listed:
        return [k for v in value for k in unknown_keys(v, listed[1], place)]
    of_map = re.fullmatch(r"dict\(str, (.*)\)", model)
    if of_map:
        return [k for v in value.values() for k in unknown_keys(v, of_map[1], place)]
    known = getattr(kubernetes.client, model, None)
    if known is None:
        return []
    types = {known.attribute_map[n]: kind for n, kind in known.openapi_types.items()}
    found = []
    for key, inner in value.items():
        where = f"{place}.{key}".lstrip(".")
        if key in types:
            found += unknown_keys(inner, types[key], where)
        else:
            found.append(where)
    return found


def test_a_pod_is_asked_only_when_ready_and_ends_gently():
    pod = kind("kubernetes.yaml", "Deployment")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    ready = container["readinessProbe"]["httpGet"]
    assert ready == {"path": "/v1/models/ranker", "port": "rest"}
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert 0 < pause < pod["terminationGracePeriodSeconds"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert set(container["resources"]) == {"requests", "limits"}
    labels = kind("kubernetes.yaml", "Service")["spec"]["selector"]
    metadata = kind("kubernetes.yaml", "Deployment")["spec"]["template"]["metadata"]
    assert labels.items() <= metadata["labels"].items()


def test_kserve_runs_the_version_that_the_model_is_exported_for():
    [service] = documents("kserve.yaml")
    assert service["kind"] == "InferenceService"
    model = service["spec"]["predictor"]["model"]
    assert model["modelFormat"] == {"name": "tensorflow"}
    assert model["runtimeVersion"] == VERSION
