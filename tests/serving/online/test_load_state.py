import pytest

from preprocessing.state.schema import StateError
from serving.online.user_store import UserStore
from tests.helpers.log_rows import HOUR, START, impression, in_order
from tests.helpers.user_state import FEATURES, MONDAY, engine, write_state


def test_a_newer_state_takes_its_place_and_what_came_after_it_stays(
    state, lasting_storage, tmp_path
):
    missed = impression("anna", "v8", at=3 * HOUR - 5)  # the app never sent it
    tuesday = [impression("anna", "v4", at=3 * HOUR), impression("carl", at=5 * HOUR)]
    wednesday = [impression("anna", "v5", at=6 * HOUR), impression("dora", at=7 * HOUR)]
    newer = write_state(tmp_path / "newer", [*MONDAY, missed, *tuesday])
    expected = engine([*MONDAY, missed, *tuesday, *wednesday], FEATURES).user_state
    for loaded in (True, False):
        name = f"storage-{loaded}"
        options = {"allowed_lateness_ms": 24 * HOUR}
        with UserStore(
            None if loaded else state, FEATURES, lasting_storage(name), **options
        ) as store:
            if loaded:
                store.load(state)
            assert store.observe(tuesday + wednesday).counted == 4
        with UserStore(
            None if loaded else newer, FEATURES, lasting_storage(name), **options
        ) as store:
            if loaded:
                assert store.load(newer) == 3
                with pytest.raises(StateError, match="holds a newer state"):
                    store.load(state)
            assert store.watermark_ms == START + 5 * HOUR
            exported = in_order(store.export_state().to_pylist())
            assert exported == in_order(expected.to_pylist())
            # Of videos what the newer state says; see docs/serving_users.md.
            assert store.video_impressions(["v4", "v8", "v5"])["v4"] == 1
            assert store.video_impressions(["v8"])["v8"] == 1
