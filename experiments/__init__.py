"""What was found out, as scripts that find it out again with the product's own code."""

import os

# As in the command: TensorFlow's notes on its build help no reader of a table.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# The pipeline needs it before TensorFlow is first imported, by whatever module.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
