"""Where a version's warm-up requests are, and how many there may be."""

from __future__ import annotations

import os

# TensorFlow Serving reads them from exactly this place in a version's folder.
WARMUP_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")
MAX_WARMUP_REQUESTS = 1000  # TensorFlow Serving's own limit
