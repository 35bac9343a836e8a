from dataclasses import replace

import pyarrow.compute as pc

from simulator import SimulatorConfig, simulate

CONFIG = SimulatorConfig(users=300, videos=200, authors=20, days=3)
SHARE = 0.1


def test_a_fifth_of_the_share_is_broken_in_each_way():
    sound = simulate(CONFIG)
    broken = simulate(replace(CONFIG, corrupt_share=SHARE))
    fifth = SHARE / 5 * sound.num_rows

    repeated = broken.num_rows - sound.num_rows
    assert abs(repeated - fifth) <= 1
    for column in ("user_id", "video_id", "event_time_ms"):
        assert abs(broken[column].null_count - fifth) <= 1
    assert abs(pc.sum(pc.less(broken["video_duration_ms"], 0)).as_py() - fifth) <= 1

    whole = broken.select(["user_id", "video_id", "event_time_ms"]).to_pandas().dropna()
    assert whole.duplicated().sum() == repeated


def test_without_a_share_nothing_breaks():
    assert simulate(CONFIG).equals(simulate(replace(CONFIG, corrupt_share=0.0)))
