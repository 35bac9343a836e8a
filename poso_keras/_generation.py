"""Which generation of Keras the environment asks for."""

import importlib.util
import os
import warnings


def tf_keras_is_wanted() -> bool:
    """Whether TensorFlow's own variable asks for `tf_keras`, and it is installed.

    The variable may be another project's. Where there is no `tf_keras`, no model of
    this process can be one of its models, so that Keras 3 is what is left: a warning
    says so.
    """
    value = os.environ.get("TF_USE_LEGACY_KERAS")
    if value not in ("1", "true", "True"):  # as TensorFlow reads it
        return False
    if importlib.util.find_spec("tf_keras") is not None:
        return True
    warnings.warn(
        f"TF_USE_LEGACY_KERAS={value} is not heeded: tf_keras is not installed, so "
        "poso_keras runs on Keras 3. For layers of tf_keras: pip install tf-keras; for "
        "no warning: unset TF_USE_LEGACY_KERAS.",
        RuntimeWarning,
        stacklevel=2,
    )
    return False
