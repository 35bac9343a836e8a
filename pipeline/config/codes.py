"""Personalization codes: which input, in which form (paper, Sec. 4.5 and Table 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from pipeline.config.section import Section
from preprocessing.contract.rates import may_be_rate_column

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
CODE_INPUTS: tuple[str, ...] = get_args(CodeInput)
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

    input: str = Field(
        description="A feature of the user or the video; `all_features` is everything "
        "that the model reads (gates are then a mixture of experts), `constant` is 1 "
        "for everybody (the control). Or a column of `features.rates`, such as "
        "`user_like_rate`, whose bucket is taken: it needs `transform.rate_buckets`.",
    )
    encoding: Encoding | None = Field(
        None,
        description="How it is encoded: `embedded` looks it up in a table of the "
        "code's own, the others are those of `poso_keras.BucketEncoding`. By default "
        "ordered buckets are `ordered`, flags `one_hot` and ids `embedded`.",
    )

    @field_validator("input")
    @classmethod
    def _known_or_of_rates(cls, name: str) -> str:
        if name in CODE_INPUTS or may_be_rate_column(name):
            return name
        raise ValueError(
            f"expected one of {', '.join(CODE_INPUTS)}, or a column of a rate or a "
            "count of features.rates, such as user_like_rate"
        )

    @model_validator(mode="before")
    @classmethod
    def _with_default(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"input": value}
        if isinstance(value, Mapping) and value.get("encoding") is None:
            name = value.get("input")
            value = {**value, "encoding": _default_encoding(str(name))}
        return value

    @model_validator(mode="after")
    def _check_encoding(self) -> CodeConfig:
        if self.encoding is None or self.input in _BUCKETS or self.of_rates:
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
    def of_rates(self) -> bool:
        """Whether the input is a column of a rate or a count."""
        return self.input not in CODE_INPUTS

    @property
    def of_bucket(self) -> bool:
        """Whether the code is a function of a bucket's number, without weights."""
        bucketed = self.of_rates or self.input in _BUCKETS
        return bucketed and self.encoding != "embedded"


def _default_encoding(name: str) -> Encoding | None:
    if name in _IDS:
        return "embedded"
    return "ordered" if may_be_rate_column(name) else _BUCKETS.get(name)


def _no_repeats(codes: tuple[CodeConfig, ...]) -> tuple[CodeConfig, ...]:
    if len(set(codes)) < len(codes):
        names = ", ".join(code.input for code in codes)
        raise ValueError(f"a code must not be named twice. Received: {names}")
    return codes


Codes = Annotated[tuple[CodeConfig, ...], AfterValidator(_no_repeats)]
AVC_CODE: tuple[CodeConfig, ...] = (CodeConfig(input="avc"),)
CONSTANT_CODE: tuple[CodeConfig, ...] = (CodeConfig(input="constant"),)
