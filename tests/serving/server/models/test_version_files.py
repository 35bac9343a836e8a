"""A version that lists its files is loaded once it is whole, and not before."""

import shutil
from pathlib import Path

import pytest

from serving.export.version_files import list_version_files
from serving.protocol.version_files import FILE_LIST
from serving.server.models.loading import load_and_warm_up
from serving.server.models.saved_model import ModelLoadError
from serving.server.models.version_files import check_version_files

FILES = [
    "saved_model.pb",
    "fingerprint.pb",
    "variables/variables.index",
    "variables/variables.data-00000-of-00001",
    "assets/vocabulary",
    "assets.extra/tf_serving_warmup_requests",
]


def rename(path: Path) -> None:
    path.rename(path.with_name(f".{path.name}.part"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def change_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


DAMAGES = {
    rename: "is missing",
    link_to_nothing: "is missing",
    empty: "has 0 bytes instead of ",
    halve: "bytes instead of ",
    lengthen: "bytes instead of ",
    change_a_byte: "has another content than when it was exported",
    make_a_folder: "instead of |cannot be read",
}


@pytest.fixture
def unlisted(model_dir, tmp_path) -> Path:
    folder = tmp_path / "3"
    shutil.copytree(model_dir / "2", folder)
    (folder / "assets").mkdir(exist_ok=True)
    (folder / "assets" / "vocabulary").write_text("music\nnews\n")
    return folder


@pytest.fixture
def version(unlisted) -> Path:
    list_version_files(str(unlisted))
    return unlisted


def test_a_whole_version_is_loaded(version):
    (version / "a_readers_note.txt").write_text("files beside the listed ones are fine")
    assert load_and_warm_up("m", 3, str(version)).number == 3


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", FILES)
def test_each_file_has_to_be_as_it_was_exported(version, name, damage):
    damage(version / name)
    with pytest.raises(ModelLoadError, match=DAMAGES[damage]) as error:
        load_and_warm_up("m", 3, str(version))
    assert str(error.value).startswith(
        f"{version} is not as its {FILE_LIST} says: {name} "
    )
    assert error.value.code == "FAILED_PRECONDITION"


def test_many_problems_are_counted(version):
    for name in FILES:
        (version / name).unlink()
    with pytest.raises(ModelLoadError, match=r"is missing; and 1 more\. It is loaded"):
        check_version_files(str(version))


@pytest.mark.parametrize("missing", [FILE_LIST, "assets.extra"])
def test_a_copy_that_lacks_its_list_is_not_loaded(version, missing):
    rename(version / missing)
    with pytest.raises(ModelLoadError, match=r"list of its files, .* is missing"):
        load_and_warm_up("m", 3, str(version))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 1}', '{"files": {"a": 1}}'])
def test_a_list_that_is_not_whole(version, text):
    (version / FILE_LIST).write_text(text)
    with pytest.raises(ModelLoadError, match="is no whole list of files"):
        load_and_warm_up("m", 3, str(version))


def test_a_version_of_an_exporter_without_lists_is_loaded(unlisted):
    assert load_and_warm_up("m", 3, str(unlisted)).number == 3


def test_a_changed_version_may_be_listed_again(version):
    halve(version / "assets" / "vocabulary")
    list_version_files(str(version))
    check_version_files(str(version))
