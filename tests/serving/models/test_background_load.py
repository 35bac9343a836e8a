import gc
import sys

import pytest

from serving.models.background_load import beside_requests, dedicate_process


def fail_beside_requests(interval_s):
    with beside_requests():
        assert sys.getswitchinterval() < interval_s
        assert not gc.isenabled()
        raise KeyError


def test_settings_are_restored_after_a_failure():
    interval_s = sys.getswitchinterval()
    with pytest.raises(KeyError):
        fail_beside_requests(interval_s)
    assert sys.getswitchinterval() == interval_s
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off():
    gc.disable()
    try:
        with beside_requests():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_dedicated_process_spares_what_lives_and_switches_sooner():
    interval_s = sys.getswitchinterval()
    try:
        dedicate_process()
        assert gc.get_freeze_count() > 10_000
        assert sys.getswitchinterval() < interval_s
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval_s)
