import os
import signal
import subprocess
import sys
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
    [
        (signal.SIGTERM, SystemExit),
        (signal.SIGHUP, SystemExit),
        (signal.SIGINT, KeyboardInterrupt),
    ],
)
def test_a_signal_ends_the_process_where_nothing_is_to_be_saved(number, error, lines):
    with pytest.raises(error) as ended, StopSignal():
        signal.raise_signal(number)
    if error is SystemExit:
        assert ended.value.code == 128 + number
    assert lines == [
        "stopped: run the same command again to resume from the last checkpoint"
    ]


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


def test_a_later_signal_ends_at_once_and_all_is_given_back():
    now = 100.0
    before = {number: signal.getsignal(number) for number in StopSignal.SIGNALS}
    with StopSignal(lambda: now) as stop, stop.held_back():
        signal.raise_signal(signal.SIGTERM)
        now = 101.9  # whoever signalled a whole group may signal again
        signal.raise_signal(signal.SIGINT)
        assert stop.received == signal.SIGTERM
        now = 102.0
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert before == {number: signal.getsignal(number) for number in before}
    with StopSignal():
        assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
    assert before == {number: signal.getsignal(number) for number in before}


SAVING = """
import os, signal, sys, time
from pipeline.training.loop.stop_signal import StopSignal

with StopSignal() as stop, stop.held_back():
    print("training", flush=True)
    while stop.received is None:
        time.sleep(0.01)  # between two looks, as the steps of a training are
    os.killpg(0, signal.SIGTERM)  # it is here when the call returns
    print("saved", flush=True)
    stop.leave()
"""


@pytest.mark.parametrize("first", StopSignal.SIGNALS)
def test_a_group_that_is_signalled_twice_saves(first, pytestconfig):
    with subprocess.Popen(
        [sys.executable, "-c", SAVING],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=pytestconfig.rootpath,
        start_new_session=True,
    ) as process:
        assert process.stdout.readline() == "training\n"
        os.killpg(process.pid, first)
        assert process.stdout.read() == "saved\n"
    ended = -first if first == signal.SIGINT else 128 + first
    assert process.returncode == ended


def test_what_was_ignored_goes_on_being_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with StopSignal() as stop:
            signal.raise_signal(signal.SIGHUP)
        assert stop.received is None
    finally:
        signal.signal(signal.SIGHUP, before)


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
