import pytest

from serving.online.storage_choice import open_storage
from serving.protocol.errors import Unavailable


def test_a_place_says_which_storage(tmp_path):
    storage = open_storage(str(tmp_path / "users.sqlite"))
    assert storage.set_note_once("name", "first") == "first"
    assert storage.set_note_once("name", "second") == "first"
    storage.close()
    assert (tmp_path / "users.sqlite").exists()
    with pytest.raises(ValueError, match="expected redis://"):
        open_storage("http://127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"redis://127\.0\.0\.1:1:"):
        open_storage("redis://127.0.0.1:1/0")
