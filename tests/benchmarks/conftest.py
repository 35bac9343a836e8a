"""Rows of the feature engine's own tests serve here, too."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS.parent), str(TESTS / "preprocessing")]
