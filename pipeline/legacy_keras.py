"""Makes TensorFlow use Keras 2 (`tf_keras`) wherever `pipeline` is imported.

TFX, TFMA and TFRS work with Keras 2 alone. TensorFlow 2.16 decides between Keras 2
and 3 by an environment variable that it reads once, when it is first imported.

Keras 3 is imported all the same, by TFX's tuner, and would load the backend that the
environment names for another project's sake. Nothing here computes with it.
"""

import importlib.util
import os
import sys

VARIABLE = "TF_USE_LEGACY_KERAS"
BACKEND_VARIABLE = "KERAS_BACKEND"


def require() -> None:
    """Sets the variables, or says what to do where that comes too late.

    Raises:
        ImportError: There is no `tf_keras`, or TensorFlow or `poso_keras` is imported
            already and the variable was not set.
    """
    if importlib.util.find_spec("tf_keras") is None:
        raise ImportError(
            "`pipeline` needs tf_keras, which is not installed. From a checkout of the "
            "project: pip install . './application[pipeline,serving]'"
        )
    os.environ[BACKEND_VARIABLE] = "tensorflow"
    if os.environ.get(VARIABLE) in ("1", "true", "True"):  # as TensorFlow reads it
        return
    for early in ("tensorflow", "poso_keras"):
        if early in sys.modules:
            raise ImportError(
                f"`pipeline` needs {VARIABLE}=1 before {early} is first imported, and "
                f"{early} is imported already. Set {VARIABLE}=1 in the environment, or "
                "import `pipeline` first. "
                f"Received: {VARIABLE}={os.environ.get(VARIABLE)!r}"
            )
    os.environ[VARIABLE] = "1"
