"""The pipeline: configuration, ranking model, trainer, evaluation, TFX wiring.

The one room where `poso_keras`, `preprocessing` and `serving` meet. Importing it
settles which Keras TensorFlow uses, so import it before TensorFlow.
"""

from pipeline import legacy_keras

legacy_keras.require()
