"""Records of a run folder that was moved, copied or tidied up."""

import json
import shutil

import pytest
from ml_metadata.metadata_store import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.runners.metadata_file import RunFolderError
from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_records import note_made_files, settle_records

LIVE = metadata_store_pb2.Artifact.LIVE
DELETED = metadata_store_pb2.Artifact.DELETED


def open_store(paths):
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(paths.metadata)
    return metadata_store.MetadataStore(connection)


@pytest.fixture
def paths(tmp_path):
    """A run that trained, blessed and pushed one model."""
    paths = RunPaths(tmp_path / "run")
    paths.out.mkdir()
    store = open_store(paths)

    def add(kind, name, *files, **properties):
        kind_id = store.put_artifact_type(metadata_store_pb2.ArtifactType(name=kind))
        place = paths.pipeline_root / name
        for file in files:
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_text(file)
        artifact = metadata_store_pb2.Artifact(
            type_id=kind_id, uri=str(place), state=LIVE
        )
        for key, value in properties.items():
            if isinstance(value, int):
                artifact.custom_properties[key].int_value = value
            else:
                artifact.custom_properties[key].string_value = value
        return store.put_artifacts([artifact])[0]

    add("Examples", "Gen/examples/1", "Split-train/a.gz", "Split-eval/a.gz")
    model = add("Model", "Trainer/model/2", "Format-Serving/saved_model.pb", "w/x")
    add("ModelBlessing", "Evaluator/blessing/3", "B", blessed=1, current_model_id=model)
    add("PushedModel", "Pusher/pushed_model/4", "m", pushed=1, pushed_version="17")
    (paths.serving / "17").mkdir(parents=True)
    note_made_files(paths)
    return paths


def states(paths):
    return {
        "/".join(a.uri.split("/")[-3:]): a.state
        for a in open_store(paths).get_artifacts()
    }


def gone(paths):
    return {name for name, state in states(paths).items() if state == DELETED}


def test_a_folder_as_it_was_left_needs_no_word(paths):
    before = open_store(paths).get_artifacts()
    assert settle_records(paths) == []
    assert open_store(paths).get_artifacts() == before
    assert gone(paths) == set()


@pytest.mark.parametrize("keep", [False, True], ids=["moved", "copied"])
def test_records_follow_a_folder_to_its_new_place(paths, tmp_path, keep):
    other = RunPaths(tmp_path / "deep" / "other")
    (shutil.copytree if keep else shutil.move)(paths.out, other.out)
    [note] = settle_records(other)
    assert f"moved or copied here from {paths.pipeline_root}" in note
    root = str(other.pipeline_root)
    assert all(a.uri.startswith(root) for a in open_store(other).get_artifacts())
    assert gone(other) == set()
    assert settle_records(other) == []
    if keep:
        assert settle_records(paths) == []


@pytest.mark.parametrize(
    ("removed", "name"),
    [
        ("Gen/examples/1", "Gen/examples/1"),
        ("Gen/examples/1/Split-train", "Gen/examples/1"),
        ("Gen/examples/1/Split-train/a.gz", "Gen/examples/1"),
        ("Gen", "Gen/examples/1"),
    ],
)
def test_what_is_gone_in_whole_or_in_part_is_made_again(paths, removed, name):
    place = paths.pipeline_root / removed
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    [note] = settle_records(paths)
    assert note == "gone, and made again where it is needed: Gen"
    assert gone(paths) == {name}
    assert settle_records(paths) == []


@pytest.mark.parametrize("text", ["", "half", "Split-train/a.gz and more"])
def test_a_file_of_another_size_is_made_again(paths, text):
    (paths.pipeline_root / "Gen/examples/1/Split-train/a.gz").write_text(text)
    [note] = settle_records(paths)
    assert note == "gone, and made again where it is needed: Gen"
    assert gone(paths) == {"Gen/examples/1"}


def test_a_list_of_names_alone_is_read_too(paths):
    """Releases before sizes were noted wrote one."""
    place = paths.pipeline_root / "files.json"
    made = json.loads(place.read_text())
    place.write_text(json.dumps({name: list(files) for name, files in made.items()}))
    (paths.pipeline_root / "Gen/examples/1/Split-train/a.gz").write_text("half")
    assert settle_records(paths) == []
    (paths.pipeline_root / "Gen/examples/1/Split-train/a.gz").unlink()
    settle_records(paths)
    assert gone(paths) == {"Gen/examples/1"}


def test_a_last_blessed_model_that_is_gone_is_named(paths):
    shutil.rmtree(paths.pipeline_root / "Trainer/model/2/w")
    notes = settle_records(paths)
    assert any("the last blessed model is gone" in note for note in notes)
    assert gone(paths) == {"Trainer/model/2"}


def test_a_pushed_model_that_is_no_longer_served_is_pushed_again(paths):
    shutil.rmtree(paths.serving)
    [note] = settle_records(paths)
    assert note.endswith(": Pusher")
    assert gone(paths) == {"Pusher/pushed_model/4"}


def test_without_a_list_of_files_a_folder_that_is_there_counts_as_whole(paths):
    (paths.pipeline_root / "files.json").write_text("{ half a li")
    assert settle_records(paths) == []


def test_records_that_cannot_be_read_are_named(paths):
    paths.metadata.write_bytes(b"no database at all, " * 100)
    with pytest.raises(RunFolderError, match=r"metadata\.sqlite cannot be read"):
        settle_records(paths)


def test_a_new_folder_has_no_records(tmp_path):
    assert settle_records(RunPaths(tmp_path / "new")) == []
