"""Made-up logs in the layouts in which others publish or export theirs.

Names, order and formats of the columns are those of the published descriptions; the
rows are drawn here. Users like some items more than others, so that a model has
something to learn.
"""

from tests.helpers.foreign_logs.layouts import LAYOUTS, Layout

__all__ = ["LAYOUTS", "Layout"]
