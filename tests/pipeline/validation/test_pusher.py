"""A push that ends early leaves no version; the next one is whole."""

import pytest
from tfx.components.pusher import executor
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from pipeline.validation.pusher import WholePusher

FILES = ("variables/variables.index", "assets/user_id", "saved_model.pb")


@pytest.fixture
def model(tmp_path):
    artifact = standard_artifacts.Model()
    artifact.uri = str(tmp_path / "model")
    for name in FILES:
        file = tmp_path / "model" / "Format-Serving" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return artifact


def blessing(folder, blessed):
    artifact = standard_artifacts.ModelBlessing()
    artifact.uri = str(folder)
    artifact.set_int_custom_property("blessed", int(blessed))
    return artifact


@pytest.fixture
def push(model, tmp_path):
    """Pushes the model into `serving`; returns the artifact."""

    def pushed(blessed=True):
        artifact = standard_artifacts.PushedModel()
        artifact.uri = str(tmp_path / "pushed")
        destination = pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(
                base_directory=str(tmp_path / "serving")
            )
        )
        WholePusher().Do(
            {"model": [model], "model_blessing": [blessing(tmp_path / "b", blessed)]},
            {"pushed_model": [artifact]},
            {"push_destination": proto_utils.proto_to_json(destination)},
        )
        return artifact

    return pushed


def files(folder):
    return {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}


def test_a_version_is_pushed_as_a_whole(push, tmp_path):
    pushed = push()
    [version] = (tmp_path / "serving").iterdir()
    assert version.name == pushed.get_string_custom_property("pushed_version")
    assert str(version) == pushed.get_string_custom_property("pushed_destination")
    assert pushed.get_int_custom_property("pushed") == 1
    assert files(version) == files(tmp_path / "pushed") == set(FILES)


def test_what_is_not_blessed_is_not_pushed(push, tmp_path):
    pushed = push(blessed=False)
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "serving").exists()


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_push_that_the_disk_ends_leaves_no_version(push, tmp_path, monkeypatch, at):
    copy_dir, copy_file, copied = (
        executor.io_utils.copy_dir,
        executor.io_utils.copy_file,
        [],
    )

    def full_at(copy):
        def copying(*arguments, **options):
            copied.append(arguments)
            if len(copied) == at:
                raise OSError(28, "No space left on device")
            copy(*arguments, **options)

        return copying

    with monkeypatch.context() as patched:
        patched.setattr(executor.io_utils, "copy_dir", full_at(copy_dir))
        patched.setattr(executor.io_utils, "copy_file", full_at(copy_file))
        with pytest.raises(OSError, match="No space"):
            push()
    serving = tmp_path / "serving"
    assert [p.name for p in serving.glob("*") if p.name.isdigit()] == []
    push()
    [version] = serving.iterdir()
    assert files(version) == set(FILES)
