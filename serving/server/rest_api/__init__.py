"""REST: /v1/models/..."""
