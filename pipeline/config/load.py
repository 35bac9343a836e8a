"""Reads a configuration from YAML, with `key=value` overrides and named errors."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from pipeline.config.run import RunConfig
from pipeline.config.strict_yaml import read_yaml


class ConfigError(ValueError):
    """A configuration that cannot be used; the message says what to change."""


def load_config(path: str | Path, overrides: Iterable[str] = ()) -> RunConfig:
    """Reads a `RunConfig` from a YAML file.

    Args:
        path: The YAML file.
        overrides: `section.key=value` strings; the value is read as YAML.

    Raises:
        ConfigError: The file is missing or not YAML, a key is unknown (the message
            names the nearest known one) or a value is not allowed.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the configuration {path}: {error}") from error
    try:
        tree = read_yaml(text)
    except ValueError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must hold a mapping. Received: {tree!r}")
    for override in overrides:
        _apply(tree, override)
    try:
        return RunConfig.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_describe_problems(error, str(path))) from error


def dump_config(config: RunConfig) -> str:
    """The configuration as YAML, defaults included; `load_config` reads it back."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def _apply(tree: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            f"--set takes section.key=value, for example training.epochs=3. "
            f"Received: {override!r}"
        )
    *sections, last = key.split(".")
    node = tree
    for section in sections:
        child = node.setdefault(section, {})
        if not isinstance(child, dict):
            raise ConfigError(f"--set {key}: '{section}' is a value, not a section")
        node = child
    try:
        node[last] = read_yaml(value)
    except ValueError as error:
        raise ConfigError(
            f"--set {key}: {value!r:.80} is not valid YAML: {error}"
        ) from error


def _describe_problems(error: ValidationError, path: str) -> str:
    lines = [f"{path}: the configuration is not valid:"]
    for problem in error.errors():
        place = [str(part) for part in problem["loc"] if part != "[key]"]
        name = ".".join(place) or "the whole configuration"
        if problem["type"] == "extra_forbidden":
            known = _known_keys(place[:-1])
            near = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
            hint = (
                f"did you mean '{near[0]}'?" if near else f"known: {', '.join(known)}"
            )
            lines.append(f"  {name}: unknown key; {hint}")
        else:
            received = problem.get("input")
            shown = "" if isinstance(received, Mapping) else f" Received: {received!r}"
            message = problem["msg"].removeprefix("Value error, ")
            lines.append(f"  {name}: {message}.{shown}")
    return "\n".join(lines)


def _known_keys(place: list[str]) -> list[str]:
    """Keys allowed at a place of the tree, through mappings, lists and unions."""
    kinds: list[Any] = [RunConfig]
    for part in place:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    return sorted({key for kind in kinds for key in getattr(kind, "model_fields", ())})


def _inside(kind: Any, part: str) -> list[Any]:
    if isinstance(kind, _Entry):
        return kind.models
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(part)
        return [] if field is None else _models(field.annotation)
    return []


def _models(annotation: Any) -> list[Any]:
    """Every model class inside an annotation such as `dict[str, Task] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found = [m for arg in typing.get_args(annotation) for m in _models(arg)]
    origin = typing.get_origin(annotation)
    if origin in (dict, list, tuple) and found:
        return [_Entry(found)]
    return found


class _Entry:
    """Stands for 'any key or index' between a mapping or list and its models."""

    def __init__(self, models: list[Any]):
        self.models = models
