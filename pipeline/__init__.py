"""The pipeline: configuration, ranking model, training, evaluation, TFX wiring.

It builds on `poso_keras`, `preprocessing` and `serving`. Importing it settles which
Keras TensorFlow uses, so import it before TensorFlow.
"""

from pipeline import legacy_keras

legacy_keras.require()
