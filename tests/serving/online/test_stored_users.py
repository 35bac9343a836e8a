import threading

from serving.online.user_store import UserStore
from tests.helpers.log_rows import HOUR, START, impression
from tests.helpers.user_state import FEATURES


def test_threads_that_write_one_user_lose_nothing(state, lasting_storage):
    stores = [UserStore(state, FEATURES, lasting_storage("one")) for _ in range(4)]

    def write(number):
        for turn in range(15):
            moment = 3 * HOUR + 1000 * turn + number
            done = stores[number].observe(
                [impression(user, "v9", at=moment) for user in ("anna", "ben")]
            )
            assert done.counted == 2

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].features("anna", START + 9 * HOUR)["avc"] == 3 + 60
    assert stores[0].features("ben", START + 9 * HOUR)["avc"] == 41 + 60
    assert stores[0].video_impressions(["v9"]) == {"v9": 120}
