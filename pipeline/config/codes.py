"""Personalization codes: which input, in which form (paper, Sec. 4.5 and Table 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from pipeline.config.section import Section

CodeInput = Literal[
    "avc",
    "hours_since_first_launch",
    "is_new_user",
    "user_id",
    "video_id",
    "video_age",
    "all_features",
    "constant",
]
Encoding = Literal["ordered", "thermometer", "numeric", "one_hot", "embedded"]

_BUCKETS: Mapping[str, Encoding] = {
    "avc": "ordered",
    "hours_since_first_launch": "ordered",
    "video_age": "ordered",
    "is_new_user": "one_hot",
}
_IDS = ("user_id", "video_id")


class CodeConfig(Section):
    """One part of a code. The input's name alone stands for its default encoding."""

    input: CodeInput = Field(
        description="A feature of the user or the video; `all_features` is everything "
        "that the model reads (gates are then a mixture of experts), `constant` is 1 "
        "for everybody (the control).",
    )
    encoding: Encoding | None = Field(
        None,
        description="How it is encoded: `embedded` looks it up in a table of the "
        "code's own, the others are those of `poso_keras.BucketEncoding`. By default "
        "ordered buckets are `ordered`, flags `one_hot` and ids `embedded`.",
    )

    @model_validator(mode="before")
    @classmethod
    def _with_default(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"input": value}
        if isinstance(value, Mapping) and value.get("encoding") is None:
            name = value.get("input")
            encoding = "embedded" if name in _IDS else _BUCKETS.get(str(name))
            value = {**value, "encoding": encoding}
        return value

    @model_validator(mode="after")
    def _check_encoding(self) -> CodeConfig:
        if self.encoding is None or self.input in _BUCKETS:
            return self
        if self.input not in _IDS:
            raise ValueError(
                f"{self.input} has no encoding: leave it out. Received: {self.encoding}"
            )
        if self.encoding != "embedded":
            raise ValueError(
                f"{self.input} is an id, so its encoding must be embedded. "
                f"Received: {self.encoding}"
            )
        return self

    @property
    def of_bucket(self) -> bool:
        """Whether the code is a function of a bucket's number, without weights."""
        return self.input in _BUCKETS and self.encoding != "embedded"


def _no_repeats(codes: tuple[CodeConfig, ...]) -> tuple[CodeConfig, ...]:
    if len(set(codes)) < len(codes):
        names = ", ".join(code.input for code in codes)
        raise ValueError(f"a code must not be named twice. Received: {names}")
    return codes


Codes = Annotated[tuple[CodeConfig, ...], AfterValidator(_no_repeats)]
AVC_CODE: tuple[CodeConfig, ...] = (CodeConfig(input="avc"),)
CONSTANT_CODE: tuple[CodeConfig, ...] = (CodeConfig(input="constant"),)
