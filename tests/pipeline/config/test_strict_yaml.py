import datetime

import pytest

from pipeline.config.strict_yaml import read_yaml


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", r"the key 'a' is there twice \(line 3, column 1\)"),
        ("x: {a: 1, a: 1}", r"'a' is there twice \(line 1, column 11\)"),
        ("x:\n  - {a: 1, 'a': 2}", "'a' is there twice"),
        ("day: 2022-13-01", r"'2022-13-01' .* month must be in 1\.\.12 \(line 1"),
        ("2022-02-30", "day is out of range"),
        ("day: 2022-01-01 99:00:00", "hour must be in"),
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
    assert read_yaml("") is None
