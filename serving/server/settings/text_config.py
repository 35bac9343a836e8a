"""Configuration files in protocol buffers' text format, as TensorFlow Serving's are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import text_format


class ServerConfigError(ValueError):
    """A configuration file that cannot be used; the message names file and line."""


def read_text_config(path: str | Path, message_class: Any) -> Any:
    """The message in a file.

    Args:
        path: The file.
        message_class: What it holds, such as `MonitoringConfig`.

    Raises:
        ServerConfigError: If it cannot be read or is no such message.
    """
    return parse_text_config(read_text(path), message_class, path)


def read_text(path: str | Path) -> str:
    """What a file holds.

    Raises:
        ServerConfigError: If it cannot be read as text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ServerConfigError(f"{path} cannot be read: {error}") from error


def parse_text_config(text: str, message_class: Any, path: str | Path) -> Any:
    """The message in the text of a file.

    Args:
        text: What the file holds.
        message_class: The message's class.
        path: The file's path, for messages.

    Raises:
        ServerConfigError: If it is no such message.
    """
    try:
        return text_format.Parse(text, message_class())
    except text_format.ParseError as error:
        # The parser's message begins with line and column.
        raise ServerConfigError(
            f"{path}:{error}; the file is no {message_class.DESCRIPTOR.name} in text "
            "format"
        ) from error
