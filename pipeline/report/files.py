"""The names of the report's files."""

METRICS_FILE = "metrics.json"
PAGE_FILE = "index.html"
