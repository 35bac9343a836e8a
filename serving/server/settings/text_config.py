"""Configuration files in protocol buffers' text format, as TensorFlow Serving's are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format


class ConfigError(ValueError):
    """A configuration file that cannot be used; the message names the file."""


def read_text_config(path: str | Path, message_class: Any) -> Any:
    """The message in a file.

    Args:
        path: The file.
        message_class: What it holds, such as `MonitoringConfig`.

    Raises:
        ConfigError: If it cannot be read or is no such message.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the configuration {path}: {error}") from error
    try:
        return text_format.Parse(text, message_class())
    except text_format.ParseError as error:
        raise ConfigError(
            f"{path} is no {message_class.DESCRIPTOR.name} in text format: {error}"
        ) from error
