"""Personalized cold start modules (POSO) as Keras layers, with their metric.

Each POSO layer has a plain twin that differs in nothing but personalization. All of
it runs under Keras 3 and, with `TF_USE_LEGACY_KERAS=1`, under `tf_keras`.
"""

import importlib.metadata

from poso_keras import diagnostics
from poso_keras.bucket_encoding import BucketEncoding
from poso_keras.gauc import GAUCResult, gauc
from poso_keras.gauc_callback import GAUC
from poso_keras.mlp import MLP
from poso_keras.mmoe import MMoE
from poso_keras.personalization_gate import PersonalizationGate
from poso_keras.poso_attention import POSOMultiHeadAttention
from poso_keras.poso_dense import POSODense
from poso_keras.poso_mlp import POSOMLP
from poso_keras.poso_mmoe import POSOMMoE
from poso_keras.sequence_attention import SequenceAttention

try:
    __version__ = importlib.metadata.version("poso-keras")
except importlib.metadata.PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"

__all__ = [
    "GAUC",
    "MLP",
    "POSOMLP",
    "BucketEncoding",
    "GAUCResult",
    "MMoE",
    "POSODense",
    "POSOMMoE",
    "POSOMultiHeadAttention",
    "PersonalizationGate",
    "SequenceAttention",
    "__version__",
    "diagnostics",
    "gauc",
]
