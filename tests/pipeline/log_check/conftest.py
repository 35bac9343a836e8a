"""One clean log, and what was found in it, for all tests of the folder."""

import pytest

from tests.helpers.checked_logs import checked, clean_log, run_config


@pytest.fixture(scope="package")
def clean():
    return clean_log()


@pytest.fixture(scope="package")
def clean_check(clean, tmp_path_factory):
    return checked(clean, tmp_path_factory.mktemp("clean"), run_config())
