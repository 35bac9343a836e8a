import datetime

import pytest

from pipeline.config.strict_yaml import read_yaml


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"the key 'a' is given twice \(line 3, column 1\)"),
        ("x: {a: 1, a: 1}", r"'a' is given twice \(line 1, column 11\)"),
        ("x:\n  - {a: 1, 'a': 2}", "'a' is given twice"),
        ("day: 2022-13-01", r"'2022-13-01' .* month must be in 1\.\.12 \(line 1"),
        ("2022-02-30", "day is out of range"),
        ("day: 2022-01-01 99:00:00", "hour must be in"),
        ("!!timestamp x", "'x' is not what it looks like"),
        ("!!bool x", "'x' is not what it looks like"),
        ("!!float ''", "'' is not what it looks like"),
        ("!!binary xx", "failed to decode base64"),
        ("!!int [1]", "expected a scalar node"),
        ("9" * 5000, r"^'9{79} is not what it looks like: Exceeds the limit"),
        ("a: 017", "017 would be read as 15: quote it"),
        ("a: -017", "-017 would be read as -15: quote it"),
        ("a: 12:30", "12:30 would be read as 750: quote it"),
        ("a: 1:2:3.5", r"1:2:3\.5 would be read as 3723\.5: quote it"),
        ("a: =", "could not determine a constructor"),
        ("a:\t- b:\tc", "line 1"),
        ("on: {}", "quote it: 'on' is read as True"),
        ("1: {}", "quote it: '1' is read as 1"),
        ("? [a]\n: 1", "a key must be text"),
        ("a: [1", "expected ',' or ']'"),
        ("a: : b", r"\(line 1, column 4\)"),
        ("a: 1\n---\nb: 2", "another document"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("a: *b", "undefined alias"),
        ("a: \0", "special characters are not allowed"),
        ("[" * 3000 + "]" * 3000, "nested too deeply"),
    ],
)
def test_what_is_not_what_it_looks_like_is_an_error_of_one_line(text, message):
    with pytest.raises(ValueError, match=message) as error:
        read_yaml(text)
    assert "\n" not in str(error.value)


def test_values_are_those_of_yaml():
    text = "a: &x {b: 2022-01-02, c: [1, 2.5, yes, ~]}\nd: {<<: *x, c: é}\n'on': 1\n"
    first = {"b": datetime.date(2022, 1, 2), "c": [1, 2.5, True, None]}
    assert read_yaml(text) == {"a": first, "d": {**first, "c": "é"}, "on": 1}
    numbers = "[0, -1, 1_000, 0x1F, 0b11, 0.5, -0.25, 1e3, 1.0e+3, .inf, 10, '017']"
    values = [0, -1, 1000, 31, 3, 0.5, -0.25, "1e3", 1000.0, float("inf"), 10, "017"]
    assert read_yaml(numbers) == values
    assert read_yaml("") is None
