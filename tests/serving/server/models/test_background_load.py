import gc
import sys

import pytest

from serving.server.models.background_load import beside_requests, dedicate_process

PYTHONS_OWN_S = 0.005


@pytest.fixture(autouse=True)
def _an_interpreter_as_it_starts():
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(PYTHONS_OWN_S)
    yield
    sys.setswitchinterval(interval_s)


def fail_beside_requests():
    with beside_requests():
        assert sys.getswitchinterval() < PYTHONS_OWN_S
        assert not gc.isenabled()
        raise KeyError


def test_settings_are_restored_after_a_failure():
    with pytest.raises(KeyError):
        fail_beside_requests()
    assert sys.getswitchinterval() == PYTHONS_OWN_S
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
    try:
        dedicate_process()
        assert gc.get_freeze_count() > 10_000
        assert sys.getswitchinterval() < PYTHONS_OWN_S
    finally:
        gc.unfreeze()
