"""The models that a server serves: TensorFlow Serving's `models.config`.

Example of the file, a `ModelServerConfig` in protocol buffer text format:
    model_config_list {
      config {
        name: "ranker"
        base_path: "/models/ranker"
        model_platform: "tensorflow"
        model_version_policy { latest { num_versions: 2 } }
        version_labels { key: "stable" value: 1 }
      }
    }
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.protocol.errors import InvalidArgument
from serving.server.models.version_policy import (
    AllVersions,
    LatestVersions,
    SpecificVersions,
    VersionPolicy,
)
from serving.server.settings.text_config import (
    ServerConfigError,
    parse_text_config,
    read_text,
)

_PLATFORM = "tensorflow"


@dataclass(frozen=True)
class ModelConfig:
    """One served model.

    Attributes:
        name: Its name in requests.
        base_path: The absolute path of its folder of numbered version folders.
        version_policy: Which versions are served.
        version_labels: Version numbers by label.
    """

    name: str
    base_path: str
    version_policy: VersionPolicy = field(default_factory=LatestVersions)
    version_labels: Mapping[str, int] = field(default_factory=dict)


def one_model(
    model_dir: str | Path, name: str, version_policy: VersionPolicy | None = None
) -> ModelConfig:
    """The configuration of a model given by its folder alone.

    Args:
        model_dir: Folder of numbered version folders; may be relative.
        name: The model's name in requests.
        version_policy: Which versions are served; by default the newest one, as
            TensorFlow Serving does.
    """
    path = os.path.abspath(model_dir)
    return ModelConfig(name, path, version_policy or LatestVersions())


def read_model_configs(path: str | Path) -> list[ModelConfig]:
    """The models of a `models.config` file.

    Raises:
        ServerConfigError: If the file cannot be read, is no `ModelServerConfig`, or
            lists a model that cannot be served.
    """
    return parse_model_configs(read_text(path), str(path))


def parse_model_configs(text: str, path: str) -> list[ModelConfig]:
    """The models of the text of a `models.config` file.

    Args:
        text: What the file holds.
        path: The file's path, for messages.

    Raises:
        ServerConfigError: As `read_model_configs`.
    """
    message = parse_text_config(text, model_server_config_pb2.ModelServerConfig, path)
    if message.WhichOneof("config") != "model_config_list":
        raise ServerConfigError(
            f"{path}: expected model_config_list {{ config {{ ... }} }}, received "
            f"{message.WhichOneof('config') or 'nothing'}"
        )
    lines = list(_config_lines(text))
    configs: list[ModelConfig] = []
    for line, entry in zip(lines, message.model_config_list.config, strict=True):
        try:
            configs.append(_model_config(entry, configs))
        except InvalidArgument as error:
            raise ServerConfigError(f"{path}:{line}: {error.message}") from error
    return configs


def model_configs(message: Any) -> list[ModelConfig]:
    """The models of a `ModelConfigList` message.

    Raises:
        InvalidArgument: If it lists a model that cannot be served; worded as by
            TensorFlow Serving where that also refuses it.
    """
    configs: list[ModelConfig] = []
    for entry in message.config:
        configs.append(_model_config(entry, configs))
    return configs


def _model_config(entry: Any, earlier: Sequence[ModelConfig]) -> ModelConfig:
    if not entry.name:
        raise InvalidArgument('a model without a name; expected name: "..."')
    if any(entry.name == config.name for config in earlier):
        raise InvalidArgument(
            f"Illegal to list model {entry.name} multiple times in config list"
        )
    _check_platform(entry)
    if "://" in entry.base_path:
        raise InvalidArgument(
            f"Expected model {entry.name} to have a folder of this machine; got "
            f"base_path()={entry.base_path}"
        )
    if not os.path.isabs(entry.base_path):
        raise InvalidArgument(
            f"Expected model {entry.name} to have an absolute path or URI; got "
            f"base_path()={entry.base_path}"
        )
    return ModelConfig(
        name=entry.name,
        base_path=os.path.normpath(entry.base_path),
        version_policy=_version_policy(entry),
        version_labels=dict(entry.version_labels),
    )


def _check_platform(entry: Any) -> None:
    types = model_server_config_pb2.ModelType
    if entry.model_type and entry.model_platform:
        raise InvalidArgument(
            "Illegal setting both ModelServerConfig::model_type (deprecated) and "
            "ModelServerConfig::model_platform."
        )
    if entry.model_type:
        if entry.model_type != types.Value("TENSORFLOW"):
            raise InvalidArgument(
                f"ModelServerConfig::model_type choice {entry.model_type} not "
                "supported."
            )
        return
    if not entry.model_platform:
        raise InvalidArgument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            f"ModelServerConfig::model_platform. Model {entry.name} needs "
            f'model_platform: "{_PLATFORM}"'
        )
    if entry.model_platform != _PLATFORM:
        raise InvalidArgument(
            f"Model {entry.name} requests unsupported platform {entry.model_platform}"
        )


def _version_policy(entry: Any) -> VersionPolicy:
    policy = entry.model_version_policy
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return AllVersions()
    if choice == "specific":
        if not policy.specific.versions:
            raise InvalidArgument(
                f"Model {entry.name} has a specific version policy without versions"
            )
        return SpecificVersions(frozenset(policy.specific.versions))
    return LatestVersions(max(policy.latest.num_versions, 1))


def _config_lines(text: str) -> Iterator[int]:
    """The line on which each entry of the list opens its brace."""
    tokens: Any = text_format.Tokenizer(text.splitlines())
    depth = 0
    while not tokens.AtEnd():
        if tokens.token in ("{", "<"):
            depth += 1
            if depth == 2:
                yield tokens.ParseError("").GetLine()
        elif tokens.token in ("}", ">"):
            depth -= 1
        tokens.NextToken()
