"""How files of logged requests are called: the server writes them, the pipeline reads.

A file's name begins with the time of its first request, so names sort by time.
"""

from __future__ import annotations

SUFFIX = ".tfrecord"
# Behind `SUFFIX` while a file is written; readers take whole files only.
UNFINISHED = ".unfinished"
