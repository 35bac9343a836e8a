import pytest

from serving.online.record_format import RecordError
from serving.online.storage import Swap
from serving.online.user_store import UserStore
from tests.helpers.log_rows import START, impression
from tests.helpers.user_state import FEATURES


def test_a_record_of_an_unknown_layout_is_named(new_storage):
    storage = new_storage()
    store = UserStore(None, FEATURES, storage)
    store.observe([impression("anna")])
    (record,) = storage.read(["anna"])
    for broken, words in ((b"\x7f" + record[1:], "layout"), (record[:9], "damaged")):
        assert storage.swap([Swap("anna", record, broken)], "state -1") == [True]
        with pytest.raises(RecordError, match=rf"'anna'.*{words}"):
            store.features("anna", START + 1)
        assert storage.swap([Swap("anna", record, broken)], "state -1") == [False]
        assert storage.swap([Swap("anna", broken, record)], "state -1") == [True]
    assert store.features("anna", START + 1)["avc"] == 1
