"""Fingerprints of files in an object store; tests of sources have the disk's."""

import pytest

from preprocessing.storage.file_versions import fingerprint
from preprocessing.storage.files import SourceError, find_files, write_text
from tests.helpers import fake_store


@pytest.fixture(autouse=True)
def log():
    fake_store.FILES.clear()
    write_text("fake://b/log/a.csv", "one")
    write_text("fake://b/log/day=2/b.csv", "two")
    return "fake://b/log"


def version(place):
    return fingerprint(place, find_files(place, "*.csv"))


def test_a_stored_file_that_changes_comes_or_goes_is_noticed(log):
    seen = [version(log)]
    assert version(log) == seen[0]
    write_text("fake://b/log/day=2/b.csv", "another")
    seen.append(version(log))
    write_text("fake://b/log/day=3/c.csv", "")
    seen.append(version(log))
    del fake_store.FILES["fake://b/log/a.csv"]
    seen.append(version(log))
    assert len(set(seen)) == 4


def test_a_single_stored_file_has_a_version(log):
    before = version(f"{log}/a.csv")
    write_text(f"{log}/a.csv", "longer")
    assert version(f"{log}/a.csv") != before


def test_a_file_that_went_meanwhile_is_named(log):
    files = find_files(log, "*.csv")
    del fake_store.FILES["fake://b/log/a.csv"]
    with pytest.raises(SourceError, match=r"not in fake://b/log any more: a\.csv"):
        fingerprint(log, files)
