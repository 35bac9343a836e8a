"""What a Beam run says before it starts."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import apache_beam
import pytest

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.beam.run import (
    check_beam_can_write,
    write_feature_table_on_beam,
)


def test_s3_without_amazons_client_is_an_error_that_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    wanted = rf"apache-beam\[aws\]=={apache_beam.__version__}'"
    with pytest.raises(ValueError, match=rf"^s3://bucket/out: .*{wanted}"):
        write_feature_table_on_beam(
            SourceConfig(format="parquet"),
            FeatureConfig(),
            "no such log",
            "s3://bucket/out",
            None,
            [],
        )


@pytest.mark.parametrize("place", ["gs://bucket/out", "/srv/s3/out"])
def test_other_places_need_no_client_of_amazon(monkeypatch, place):
    monkeypatch.setitem(sys.modules, "boto3", None)
    check_beam_can_write(place)


def test_s3_with_amazons_client_is_taken(monkeypatch):
    client = ModuleType("boto3")
    client.__spec__ = ModuleSpec("boto3", None)
    monkeypatch.setitem(sys.modules, "boto3", client)
    check_beam_can_write("s3://bucket/out")
