"""What is known of users and videos now, for ranking by ids.

`UserStore` keeps users, `VideoCatalog` videos, and `Ranker` asks a model with both.
"""

from __future__ import annotations

import importlib
from typing import Any

# Imported when first asked for: Arrow takes a while to load.
_LAZY = {
    "UserStore": "user_store",
    "ObserveResult": "user_store",
    "Ranker": "ranker",
    "Ranking": "ranker",
    "VideoCatalog": "video_catalog",
    "open_storage": "storage_choice",
}

__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
