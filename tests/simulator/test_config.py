from datetime import date

import pytest

from simulator import SimulatorConfig


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1),
        ("users", 99),
        ("videos", 0),
        ("authors", 9),
        ("days", 0),
        ("new_user_share", 0.5),
        ("new_user_share", -0.1),
        ("corrupt_share", 1.0),
        ("newcomers", -0.1),
        ("newcomers", 1.1),
    ],
)
def test_a_value_out_of_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: {value}"):
        SimulatorConfig(**{name: value})


def test_the_period_is_in_utc():
    config = SimulatorConfig(start_date=date(1970, 1, 2), days=2)
    assert (config.start_ms, config.end_ms) == (86_400_000, 3 * 86_400_000)
