import pytest

from pipeline.config import RunConfig
from pipeline.partial_runs import UnknownComponentError, node_and_following
from pipeline.pipeline import create_pipeline
from tests.helpers.config_keys import BASE


def build(until=""):
    return create_pipeline(
        RunConfig.model_validate(BASE),
        data_dir="data",
        pipeline_root="runs",
        serving_dir="serving",
        rejects_dir="rejects",
        until=until,
    )


def names(pipeline):
    return [node.id for node in pipeline.components]


def test_a_pipeline_ends_after_the_component_that_is_named():
    whole = build().components
    for node in whole:
        left = build(node.id).components
        assert {n.id for n in left} & node_and_following(whole, node.id) == {node.id}
        [same] = [n for n in left if n.id == node.id]
        assert {n.id for n in same.upstream_nodes} == {
            n.id for n in node.upstream_nodes
        }
    assert names(build("ImpressionExampleGen")) == ["ImpressionExampleGen"]


def test_what_follows_is_what_reads_the_output():
    nodes = build().components
    assert node_and_following(nodes, "") == set()
    assert node_and_following(nodes, "ReportGen") == {"ReportGen"}
    assert node_and_following(nodes, "PlainTrainer") == {"PlainTrainer", "ReportGen"}
    after = node_and_following(nodes, "Transform")
    assert {"Transform", "Trainer", "Evaluator", "Pusher", "ReportGen"} <= after
    assert not {"ImpressionExampleGen", "StatisticsGen"} & after


def test_an_unknown_component_is_an_error_that_lists_the_known_ones():
    known = "Transfrom; it has .*ImpressionExampleGen, .*Transform, .*ReportGen"
    with pytest.raises(UnknownComponentError, match=known):
        build("Transfrom")
    with pytest.raises(UnknownComponentError, match=known):
        node_and_following(build().components, "Transfrom")
