"""How lines divide, told by the lines alone."""

import pytest

from preprocessing.log_guess.text_layout import text_layout


@pytest.mark.parametrize(
    ("lines", "delimiter", "header"),
    [
        (["uid,item", "1,a", "2,b"], ",", ("uid", "item")),
        (["1\ta, b\tc", "2\td\te", "3\tf, g, h\ti"], "\t", ()),
        (["1;2,5;x", "2;3,5;y"], ";", ()),
        (["x1\x01x2", "3\x014", "5\x016"], "\x01", ("x1", "x2")),
        (["name,n", '"a, b",1', '"c",2'], ",", ("name", "n")),
        (["ann,click", "bob,view", "eve,click"], ",", ()),
        (["user_000001\tx", "user_000002\ty"], "\t", ()),
    ],
)
def test_delimiter_and_header(lines, delimiter, header):
    layout = text_layout("\n".join(lines) + "\n")
    assert (layout.delimiter, layout.header) == (delimiter, header)


def test_lone_quotes_enclose_nothing():
    rows = [f'{n}\t"Heroes" by B{n}' if n % 7 == 0 else f"{n}\tx" for n in range(60)]
    layout = text_layout("\n".join([*rows, '61\t"Unclosed', "62\ty"]))
    assert not layout.quoting
    assert layout.cells == 2


def test_quotes_that_enclose_line_breaks_are_quotes():
    rows = [f'{n},"two\nlines",z' for n in range(30)]
    layout = text_layout("\n".join(["id,text,mark", *rows]))
    assert (layout.quoting, layout.cells) == (True, 3)


def test_prose_has_no_layout():
    assert text_layout("Call me, Ishmael.\nSome years ago\nnever, mind, how\n") is None
