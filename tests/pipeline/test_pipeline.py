"""The pipeline's wiring: which setting runs which component again."""

import json
import re

import pytest
import yaml

from pipeline.config import RunConfig, load_config
from pipeline.pipeline import create_pipeline
from tests.helpers.config_keys import (
    BASE,
    CHANGES,
    GIVEN,
    changed_keys,
    schema_keys,
)

KEYS = tuple(schema_keys(RunConfig))
NAMES = ("Plain", "Control")


@pytest.fixture(scope="module")
def load(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "base.yaml"
    path.write_text(yaml.safe_dump(BASE))
    return lambda *overrides: load_config(path, overrides)


def build(config, **options):
    return create_pipeline(
        config,
        data_dir="data",
        pipeline_root="runs",
        serving_dir="serving",
        rejects_dir="rejects",
        **options,
    )


def fingerprints(pipeline):
    """What TFX reuses a component's output by, beside the input artifacts."""
    return {
        node.id: (
            pipeline.pipeline_info.pipeline_name,
            getattr(node, "exec_properties", None),
            sorted(node.inputs),
        )
        for node in pipeline.components
    }


def run_again(before, after):
    """Components of both pipelines that have other parameters or other inputs."""
    one, other = fingerprints(before), fingerprints(after)
    return {node for node in one.keys() & other.keys() if one[node] != other[node]}


@pytest.fixture(scope="module")
def page(pytestconfig):
    return (pytestconfig.rootpath / "docs" / "pipeline_settings.md").read_text()


@pytest.fixture(scope="module")
def tables(page):
    """The rows of the page's two tables, as pairs of cells."""
    rows = re.findall(r"^\| (.*?) \| (.*?) \|$", page, re.M)
    split = rows.index(("after", "run again"))
    return rows[1:split], rows[split + 1 :]


def components(text, nodes):
    if text.startswith("every component"):
        return set(nodes)
    return set(re.findall(r"\w+", text.split(";")[0])) & set(nodes)


def row_of(key, patterns):
    """The most special pattern that covers a key: itself, else `section.*`."""
    found = [
        pattern
        for pattern in patterns
        if pattern == key or (pattern.endswith(".*") and key.startswith(pattern[:-1]))
    ]
    return max(found, key=lambda pattern: (pattern == key, len(pattern)))


@pytest.fixture(scope="module")
def expected(tables, load):
    """Components by pattern, as the page says."""
    nodes = fingerprints(build(load()))
    return {
        pattern: components(text, nodes) | {"ReportGen"}
        for settings, text in tables[0]
        for pattern in re.findall(r"`(.*?)`", settings)
    }


def test_every_key_has_a_changed_value():
    assert sorted(CHANGES) == sorted(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_a_setting_runs_those_components_again_that_the_page_says(key, load, expected):
    given = GIVEN.get(key, ())
    before, after = load(*given), load(*given, CHANGES[key])
    assert set(changed_keys(before, after)) == {key}
    again = run_again(build(before), build(after))
    assert again == expected[row_of(key, expected)]


def test_every_row_of_the_page_is_of_a_key(expected):
    assert {row_of(key, expected) for key in KEYS} == set(expected)


def test_what_follows_is_what_the_page_says(tables, load):
    nodes = {node.id: node for node in build(load()).components}

    def downstream(node):
        for next_node in nodes[node].downstream_nodes:
            yield next_node.id
            yield from downstream(next_node.id)

    followed = {after: components(text, nodes) for after, text in tables[1]}
    for node, following in followed.items():
        assert set(downstream(node)) == following
    every_setting = set().union(*(components(text, nodes) for _, text in tables[0][1:]))
    assert every_setting - followed.keys() <= {"Pusher", "ReportGen"}


@pytest.mark.parametrize(
    ("override", "components"),
    [
        ("training.baseline=false", "PlainTrainer"),
        ("model={poso: {mlp: no, attention: no, mmoe: no}}", "PlainTrainer"),
        ("serving.validation.enabled=false", "ServingValidator"),
        (
            "evaluation.enabled=false",
            "LatestBlessedModel Evaluator ServingValidator Pusher",
        ),
        ("drift.serving.logs=null", "ServingStatisticsGen"),
    ],
)
def test_components_that_a_setting_leaves_out(override, components, load):
    before, after = fingerprints(build(load())), fingerprints(build(load(override)))
    assert before.keys() - after.keys() == set(components.split())


def test_the_control_is_trained_and_reported_if_asked_for(load):
    before, after = build(load()), build(load("training.control=true"))
    nodes = {node.id: node for node in after.components}
    assert nodes.keys() - fingerprints(before).keys() == {"ControlTrainer"}
    trained = json.loads(
        json.loads(nodes["ControlTrainer"].exec_properties["custom_config"])["config"]
    )
    assert [code["input"] for code in trained["model"]["personalization_code"]] == [
        "constant"
    ]
    report = nodes["ReportGen"].inputs
    for name, node in (("plain", "PlainTrainer"), ("control", "ControlTrainer")):
        for output in ("model", "model_run"):
            assert report[f"{name}_{output}"] is nodes[node].outputs[output]


def test_a_changed_code_leaves_the_control_as_it_is(load):
    """It is compared with every choice of a code, and trained once."""
    control = "training.control=true"
    change = "model.personalization_code=[is_new_user]"
    again = run_again(build(load(control)), build(load(control, change)))
    assert again == {"Trainer", "ReportGen"}
    wider = run_again(build(load(control)), build(load(control, "model.dropout=0.5")))
    assert wider == {"Trainer", "PlainTrainer", "ControlTrainer", "ReportGen"}


def test_image_tags_matter_to_tensorflow_serving_alone(load):
    change = CHANGES["serving.validation.serving_image_tags"]
    again = run_again(
        build(load(), tensorflow_serving=True),
        build(load(change), tensorflow_serving=True),
    )
    assert again == {"ServingInfraValidator", "ReportGen"}


def test_a_warm_start_gives_every_trainer_its_own_earlier_model(load):
    warm = build(load("training.warm_start=true", "training.control=true"))
    nodes = {node.id: node for node in warm.components}
    earlier = nodes["EarlierModels"].outputs
    for name, node in (("", "Trainer"), *((n, f"{n}Trainer") for n in NAMES)):
        key = f"{name.lower()}_model".lstrip("_")
        assert nodes[node].inputs["base_model"] is earlier[key]
    cold = {node.id: node for node in build(load("training.control=true")).components}
    assert nodes.keys() - cold.keys() == {"EarlierModels"}
    assert all("base_model" not in node.inputs for node in cold.values())


def test_on_beam_statistics_and_transform_are_tfx_own(load):
    beam = "examples.engine=beam"
    for settings, module in (([], "pipeline."), ([beam], "tfx.components.")):
        nodes = {n.id: n for n in build(load(*settings)).components}
        for name in ("EarlierStatistics", "ServingStatisticsGen"):
            assert (name in nodes) == (not settings)
        for name in ("StatisticsGen", "ExampleValidator", "Transform"):
            assert type(nodes[name]).__module__.startswith(module)
    settings = ["statistics.max_examples=5", "drift.max_numeric=1"]
    settings.append("transform.max_tags=2")
    before, after = (build(load(beam, *of)) for of in ([], settings))
    assert not {"StatisticsGen", "ExampleValidator"} & run_again(before, after)
    assert "Transform" in run_again(before, after)


def test_statistics_are_compared_with_those_of_serving(load):
    nodes = {node.id: node for node in build(load()).components}
    served = nodes["ServingStatisticsGen"]
    assert not served.upstream_nodes
    inputs = nodes["ExampleValidator"].inputs
    assert inputs["serving"] is served.outputs["statistics"]
    again = run_again(build(load()), build(load(), serving_logs_state="3 files"))
    assert again == {"ServingStatisticsGen"}
    alone = {n.id: n for n in build(load("drift.serving.logs=null")).components}
    assert "serving" not in alone["ExampleValidator"].inputs


@pytest.mark.parametrize("last_day", ["", "2022-05-02"])
def test_statistics_are_compared_with_earlier_ones(load, last_day):
    nodes = {n.id: n for n in build(load(), last_day=last_day).components}
    earlier, validator = nodes["EarlierStatistics"], nodes["ExampleValidator"]
    assert nodes["ImpressionExampleGen"] in earlier.upstream_nodes
    assert validator.inputs["previous"] is earlier.outputs["statistics"]
    statistics = nodes["StatisticsGen"].outputs["statistics"]
    assert validator.inputs["statistics"] is statistics


def test_a_run_of_a_date_goes_on_from_the_day_before(load):
    dated = build(load("training.warm_start=true"), last_day="2022-05-02")
    nodes = {node.id: node for node in dated.components}
    day = nodes["EarlierDay"].outputs
    assert nodes["ImpressionExampleGen"].inputs["earlier"] is day["examples"]
    assert nodes["Transform"].inputs["earlier"] is day["transform_graph"]
    blessed = nodes["LatestBlessedModel"]
    assert nodes["Evaluator"].inputs["baseline_model"] is blessed.outputs["model"]
    again = build(load("training.warm_start=true"), last_day="2022-05-03")
    assert "ImpressionExampleGen" in run_again(dated, again)
