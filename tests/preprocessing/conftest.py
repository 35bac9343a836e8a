"""This folder's own helpers."""

from hypothesis import HealthCheck, settings

# Times vary with what else the machine does; what is generated does not.
settings.register_profile(
    "preprocessing",
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("preprocessing")
