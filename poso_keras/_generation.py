"""Which generation of Keras the environment asks for, and that one imported."""

import importlib.util
import os
import warnings
from typing import Any


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


def import_keras_3() -> Any:
    """Returns `keras`.

    Raises:
        ImportError: It is another generation, or its backend is not installed.
    """
    try:
        import keras
    except ModuleNotFoundError as error:
        backend = (error.name or "").split(".")[0]
        if backend not in ("tensorflow", "jax", "torch", "openvino"):
            raise
        raise ImportError(
            f"Keras cannot be imported: its backend is {backend}, which is not "
            f"installed. Fix: pip install {backend}, or choose another by "
            "KERAS_BACKEND=tensorflow, jax or torch. "
            f"Received: KERAS_BACKEND={os.environ.get('KERAS_BACKEND')!r}"
        ) from error
    if not keras.__version__.startswith("3."):
        raise ImportError(
            "poso_keras needs Keras 3, or tf_keras with TF_USE_LEGACY_KERAS=1 set "
            "before the first import. Fix: pip install 'keras>=3'. "
            f"Received: keras {keras.__version__}"
        )
    return keras


def import_tf_keras() -> Any:
    """Returns `tf_keras`.

    Raises:
        ImportError: It does not go with the TensorFlow that is installed.
    """
    try:
        import tf_keras
    except ImportError as error:
        raise ImportError(
            "TF_USE_LEGACY_KERAS is set, and the tf_keras that is installed cannot be "
            "imported. Fix: install the tf_keras of TensorFlow's version, or unset "
            f"TF_USE_LEGACY_KERAS to use Keras 3. Received: {error}"
        ) from error
    return tf_keras
