"""A run takes over no folder that another program, or a person, has filled."""

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.runners.metadata_file import RunFolderError
from pipeline.runners.run_folder import check_run_folder
from pipeline.runners.run_paths import RunPaths


@pytest.fixture
def paths(tmp_path):
    return RunPaths(tmp_path / "run")


def record(paths, component):
    """ML Metadata of a pipeline in which one component ran."""
    paths.out.mkdir(exist_ok=True)
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(paths.metadata)
    store = metadata_store.MetadataStore(connection)
    store.get_artifact_types()
    if component:
        kind = metadata_store_pb2.ExecutionType(name=component)
        kind_id = store.put_execution_type(kind)
        store.put_executions([metadata_store_pb2.Execution(type_id=kind_id)])


def put(paths, *names):
    for name in names:
        (paths.out / name).parent.mkdir(parents=True, exist_ok=True)
        (paths.out / name).write_text("by hand")


OURS = "pipeline.examples.example_gen.ImpressionExampleGen"


def test_a_new_folder_and_one_with_other_files_will_do(paths):
    check_run_folder(paths)
    put(paths, "notes.txt", "run.log", "models/1/saved_model.pb")
    (paths.out / "serving").mkdir()
    check_run_folder(paths)


@pytest.mark.parametrize(
    "component",
    [OURS, "pipeline.examples.schema_gen.ContractSchemaGen", ""],
    ids=["a run", "killed after a component", "killed at its start"],
)
def test_a_folder_of_an_earlier_run_is_gone_on_with(paths, component):
    record(paths, component)
    put(
        paths,
        "pipeline/files.json",
        "serving/17/saved_model.pb",
        "serving/README",
        "requests/new.json",
        "rejects/rejects-00000-of-00001.parquet",
        "rejects/summary.json",
        "rejects/split_counts.json",
        "rejects/beam-temp-rejects-0a1b/0c.rejects.parquet",
    )
    check_run_folder(paths)


def test_records_that_were_never_begun_do_not_matter(paths):
    paths.out.mkdir()
    paths.metadata.touch()
    check_run_folder(paths)


def test_pushed_models_may_outlive_their_records(paths):
    put(paths, "serving/17/saved_model.pb")
    check_run_folder(paths)


@pytest.mark.parametrize(
    "name",
    [
        "serving/model.py",
        "serving",
        "rejects/rejects-00000-of-00001.parquet",
        "rejects/notes.txt",
        "rejects",
        "requests/new.json",
        "requests",
        "pipeline",
        "metadata.sqlite",
        "metadata.sqlite/inner",
    ],
)
def test_what_no_run_made_is_named(paths, name):
    put(paths, name)
    with pytest.raises(RunFolderError, match=f"run/{name.removesuffix('/inner')} was"):
        check_run_folder(paths)
    assert (paths.out / name).read_text() == "by hand"


@pytest.mark.parametrize("name", ["part-00000.parquet", "notes.txt", "old/a.parquet"])
def test_rejects_are_not_replaced_together_with_other_files(paths, name):
    record(paths, OURS)
    put(paths, "rejects/summary.json", f"rejects/{name}")
    with pytest.raises(RunFolderError, match=f"rejects/{name} was not made"):
        check_run_folder(paths)


def test_rejects_that_are_linked_to_stay(paths, tmp_path):
    record(paths, OURS)
    (tmp_path / "elsewhere").mkdir()
    paths.rejects.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunFolderError, match="run/rejects was not made"):
        check_run_folder(paths)


def test_another_pipelines_records_are_left_alone(paths):
    record(paths, "tfx.components.example_gen.csv_example_gen.component.CsvExampleGen")
    with pytest.raises(RunFolderError, match=r"metadata\.sqlite was not made"):
        check_run_folder(paths)


def test_artifacts_without_records_are_left_alone(paths):
    put(paths, "pipeline/Trainer/model/2/w")
    with pytest.raises(RunFolderError, match=r"give another --out, or remove that"):
        check_run_folder(paths)
