"""docs/where.md names places that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"`([\w/]+(?:\.\w+|/))`")


def test_every_place_is_there():
    page = (ROOT / "docs" / "where.md").read_text(encoding="utf-8")
    # A setting such as `features.extra` is no place.
    places = {p for p in PLACE.findall(page) if "/" in p}
    assert len(places) > 30
    assert not {place for place in places if not (ROOT / place).exists()}
