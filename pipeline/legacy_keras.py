"""Makes TensorFlow use Keras 2 (`tf_keras`) wherever `pipeline` is imported.

TFX, TFMA and TFRS work with Keras 2 alone. TensorFlow 2.16 decides between Keras 2
and 3 by an environment variable that it reads once, when it is first imported.
"""

import os
import sys

VARIABLE = "TF_USE_LEGACY_KERAS"


def require() -> None:
    """Sets the variable, or says what to do where that comes too late.

    Raises:
        ImportError: TensorFlow is imported already and the variable was not set.
    """
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
