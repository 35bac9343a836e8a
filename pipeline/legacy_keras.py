"""Makes TensorFlow use Keras 2 (`tf_keras`) wherever `pipeline` is imported.

TFX, TFMA and TFRS work with Keras 2 alone. TensorFlow 2.16 decides between Keras 2
and 3 by an environment variable that it reads once, when it is first imported.

Keras 3 is imported all the same, by TFX's tuner, and would load the backend that the
environment names for another project's sake. Nothing here computes with it.
"""

import os
import sys

VARIABLE = "TF_USE_LEGACY_KERAS"
BACKEND_VARIABLE = "KERAS_BACKEND"


def require() -> None:
    """Sets the variables, or says what to do where that comes too late.

    Raises:
        ImportError: TensorFlow is imported already and the variable was not set.
    """
    os.environ[BACKEND_VARIABLE] = "tensorflow"
    if os.environ.get(VARIABLE) == "1":
        return
    if "tensorflow" in sys.modules:
        raise ImportError(
            f"`pipeline` needs {VARIABLE}=1 before TensorFlow is first imported, and "
            f"TensorFlow is imported already. Set {VARIABLE}=1 in the environment, or "
            "import `pipeline` first. "
            f"Received: {VARIABLE}={os.environ.get(VARIABLE)!r}"
        )
    os.environ[VARIABLE] = "1"
