import signal
import threading

import pytest

from pipeline.training.loop import stop_signal
from pipeline.training.loop.stop_signal import StopSignal


@pytest.fixture(autouse=True)
def lines(monkeypatch):
    said = []
    monkeypatch.setattr(stop_signal, "report_progress", said.append)
    return said


@pytest.mark.parametrize(
    ("number", "error"),
    [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)],
)
def test_a_signal_ends_the_process_where_nothing_is_to_be_saved(number, error, lines):
    with pytest.raises(error) as ended, StopSignal():
        signal.raise_signal(number)
    if error is SystemExit:
        assert ended.value.code == 143
    assert lines == ["stopped: the same command goes on from the last checkpoint"]


def test_the_loop_is_told_and_ends_by_itself():
    with StopSignal() as stop, stop.held_back():
        signal.raise_signal(signal.SIGTERM)
        assert stop.received == signal.SIGTERM
        with pytest.raises(SystemExit), stop.at_once():
            pytest.fail("what cannot be interrupted has begun")


def test_a_signal_within_a_part_that_is_saved_does_not_wait():
    with StopSignal() as stop, stop.held_back():
        with stop.at_once():
            pass
        signal.raise_signal(signal.SIGTERM)  # noted alone: this part is not saved
        assert stop.received
    with (
        pytest.raises(SystemExit),
        StopSignal() as stop,
        stop.held_back(),
        stop.at_once(),
    ):
        signal.raise_signal(signal.SIGTERM)


def test_a_second_signal_is_the_systems_and_all_is_given_back():
    before = {number: signal.getsignal(number) for number in StopSignal.SIGNALS}
    with StopSignal() as stop, stop.held_back():
        assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == before[signal.SIGTERM]
    with StopSignal():
        pass
    assert before == {number: signal.getsignal(number) for number in before}


def test_in_another_thread_signals_are_left_alone():
    before = signal.getsignal(signal.SIGTERM)
    seen = []

    def enter():
        with StopSignal():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [before]
