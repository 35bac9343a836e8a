import pytest
from click.testing import CliRunner

from cli.main import main

PLACES = ("--data", "gs://b/log", "--pipeline-root", "gs://b/runs", "--image", "i:1")


def compiled(*arguments):
    return CliRunner().invoke(main, ["compile", *map(str, arguments)])


def test_a_bad_configuration_is_explained_without_a_traceback(pytestconfig, tmp_path):
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    output = tmp_path / "pipeline.yaml"
    result = compiled(
        *("--config", config, *PLACES, "--output", output),
        *("--set", "training.epoch=3"),
    )
    assert result.exit_code == 1
    assert "did you mean 'epochs'?" in result.output
    assert not output.exists()


def test_every_place_is_needed(pytestconfig):
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    for left_out in range(0, len(PLACES), 2):
        rest = PLACES[:left_out] + PLACES[left_out + 2 :]
        result = compiled("--config", config, *rest)
        assert result.exit_code == 2
        assert f"Missing option '{PLACES[left_out]}'" in result.output


def test_the_configuration_is_not_replaced_by_what_is_compiled(pytestconfig, tmp_path):
    config = tmp_path / "mine.yaml"
    demo = pytestconfig.rootpath / "configs" / "demo.yaml"
    config.write_bytes(demo.read_bytes())
    result = compiled("--config", config, *PLACES, "--output", config)
    assert result.exit_code == 1
    assert f"{config} is there and is no compiled pipeline" in result.output
    assert config.read_bytes() == demo.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize(
    ("option", "place"),
    [
        ("--pipeline-root", "gs://b/log"),
        ("--pipeline-root", "gs://b/log/runs/"),
        ("--serving-dir", "gs://b/log/serving"),
        ("--serving-dir", "gs://b"),
        ("--serving-dir", "gs://b/runs/rejects"),
    ],
)
def test_places_that_overlap_are_refused(pytestconfig, tmp_path, option, place):
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    output = tmp_path / "pipeline.yaml"
    given = ("--config", config, *PLACES, "--output", output, option, place)
    result = compiled(*given)
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert f"{option} {place}" in line
    assert not list(tmp_path.iterdir())


def test_the_log_may_lie_in_the_pipelines_root(pytestconfig, tmp_path):
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    places = (*PLACES, "--pipeline-root", "gs://b", "--data", "gs://b/log")
    output = tmp_path / "pipeline.txt"  # stops before the pipeline is built
    result = compiled("--config", config, *places, "--output", output)
    assert "the specification is .yaml or .json" in result.output


@pytest.mark.parametrize("kind", ["multi_worker", "parameter_server"])
def test_a_pod_has_no_cluster_but_its_own(pytestconfig, tmp_path, kind):
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    output = tmp_path / "pipeline.yaml"
    given = ("--config", config, *PLACES, "--output", output)
    result = compiled(*given, "--set", f"training.strategy.kind={kind}")
    assert result.exit_code == 1
    assert (
        "trains in a single pod: set training.strategy.local_workers" in result.output
    )
    assert not output.exists()


def test_a_cluster_cannot_start_warm(pytestconfig, tmp_path):
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    output = tmp_path / "pipeline.yaml"
    given = ("--config", config, *PLACES, "--output", output)
    result = compiled(*given, "--set", "training.warm_start=true")
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert "training.warm_start starts from: set it to false" in line
    assert not output.exists()
