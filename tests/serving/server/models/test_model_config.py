"""`models.config` as TensorFlow Serving reads it."""

import pytest
from tensorflow_serving.config import model_server_config_pb2

from serving.protocol.errors import InvalidArgument
from serving.server.models.model_config import (
    ModelConfig,
    ServerConfigError,
    model_configs,
    one_model,
    parse_model_configs,
    read_model_configs,
)
from serving.server.models.version_policy import (
    AllVersions,
    LatestVersions,
    SpecificVersions,
)

RANKER = 'name: "ranker" base_path: "/models/ranker" model_platform: "tensorflow"'

# Commas, colons, comments and both brackets, as found in the wild.
FILE = f"""
# two models
model_config_list: {{
  config {{ {RANKER} }},
  config: <
    name: 'config', base_path: '/models/other/'
    model_type: TENSORFLOW
    model_version_policy {{ specific {{ versions: 3 versions: [4, 5] }} }}
    version_labels {{ key: "stable" value: 3 }}
    version_labels {{ key: "canary" value: 5 }}
  >
}}
"""


def test_a_file(tmp_path):
    path = tmp_path / "models.config"
    path.write_text(FILE)
    assert read_model_configs(path) == [
        ModelConfig("ranker", "/models/ranker", LatestVersions(1), {}),
        ModelConfig(
            "config",
            "/models/other",
            SpecificVersions(frozenset({3, 4, 5})),
            {"stable": 3, "canary": 5},
        ),
    ]


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("", LatestVersions(1)),
        ("model_version_policy { }", LatestVersions(1)),
        ("model_version_policy { latest { } }", LatestVersions(1)),
        ("model_version_policy { latest { num_versions: 3 } }", LatestVersions(3)),
        ("model_version_policy { all { } }", AllVersions()),
    ],
)
def test_version_policies(text, policy):
    file = f"model_config_list {{ config {{ {RANKER} {text} }} }}"
    assert parse_model_configs(file, "f")[0].version_policy == policy


def listed(*entries):
    lines = "\n".join(f"  config {{ {entry} }}" for entry in entries)
    return f"model_config_list {{\n{lines}\n}}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model_config_list {\n  config { nme: 'a' } }", r'f:2:12 : .*named "nme"'),
        ("model_config_list {\n  config { name: 'a }", "f:2:18 : .*ending quote"),
        ("", "f: expected model_config_list.*received nothing"),
        ("custom_model_config { }", "f: expected .*received custom_model_config"),
        (listed(RANKER, "base_path: '/a'"), "f:3: a model without a name"),
        (
            listed(RANKER, "name: 'a'", RANKER),
            "f:3: Illegal setting neither .*model_platform. Model a",
        ),
        (
            listed(RANKER, RANKER),
            "f:3: Illegal to list model ranker multiple times in config list",
        ),
        (
            listed("name: 'a' base_path: 'b' model_platform: 'tensorflow'"),
            r"f:2: Expected model a to have an absolute path or URI; .*base_path\(\)=b",
        ),
        (
            listed("name: 'a' model_platform: 'tensorflow'"),
            r"f:2: Expected model a to have an absolute path or URI; .*base_path\(\)=$",
        ),
        (
            listed("name: 'a' base_path: 'gs://b/c' model_platform: 'tensorflow'"),
            "f:2: Expected model a to have a folder of this machine; .*gs://b/c",
        ),
        (
            listed("name: 'a' base_path: '/b' model_platform: 'caffe'"),
            "f:2: Model a requests unsupported platform caffe",
        ),
        (
            listed("name: 'a' base_path: '/b' model_type: OTHER"),
            "f:2: .*model_type choice 2 not supported",
        ),
        (
            listed(f"{RANKER} model_type: TENSORFLOW"),
            "f:2: Illegal setting both .*model_type",
        ),
        (
            listed(f"{RANKER} model_version_policy {{ specific {{ }} }}"),
            "f:2: Model ranker has a specific version policy without versions",
        ),
    ],
)
def test_what_cannot_be_served(text, message):
    with pytest.raises(ServerConfigError, match=message):
        parse_model_configs(text, "f")


def test_the_line_is_found_in_a_list_of_entries():
    text = f"model_config_list {{ config: [\n {{ {RANKER} }},\n {{ {RANKER} }} ] }}"
    with pytest.raises(ServerConfigError, match="f:3: Illegal to list"):
        parse_model_configs(text, "f")


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ServerConfigError, match=r"nowhere.config cannot be read"):
        read_model_configs(tmp_path / "nowhere.config")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ServerConfigError, match="binary cannot be read"):
        read_model_configs(tmp_path / "binary")


def test_a_message():
    message = model_server_config_pb2.ModelConfigList()
    for number in (1, 2):
        entry = message.config.add(name="a", base_path="/a")
        entry.model_platform = "tensorflow"
        if number == 1:
            assert model_configs(message) == [ModelConfig("a", "/a")]
    with pytest.raises(InvalidArgument, match="multiple times"):
        model_configs(message)


def test_one_model_may_have_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert one_model("serving", "ranker") == ModelConfig(
        "ranker", str(tmp_path / "serving"), LatestVersions(1)
    )
