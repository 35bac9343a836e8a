from collections import Counter

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata

from preprocessing.transform.config import VocabularyConfig
from preprocessing.transform.vocabularies import EMPTY_VOCABULARY, order_vocabulary

TOKENS = (
    [b"often"] * 4
    + [b"b", b"a", b"\xc3\xa9", b"z", b"B", b"10", b"9"] * 2
    + [b"", b"", b"", b"two\nlines", b"two\rlines", b" ", b"once", b"Once"]
)


def by_tft(tokens, settings, folder):
    """The vocabulary as TensorFlow Transform makes it."""

    def preprocessing_fn(inputs):
        vocabulary = tft.vocabulary(
            inputs["token"],
            top_k=settings.max_size,
            frequency_threshold=settings.min_count,
            vocab_filename="tokens",
        )
        return {"row": tft.apply_vocabulary(inputs["token"], vocabulary)}

    metadata = dataset_metadata.DatasetMetadata.from_feature_spec(
        {"token": tf.io.FixedLenFeature([], tf.string)}
    )
    with tft_beam.Context(temp_dir=str(folder / "tmp")):
        rows = [{"token": token} for token in tokens]
        graph = (rows, metadata) | tft_beam.AnalyzeDataset(preprocessing_fn)
        graph | tft_beam.WriteTransformFn(str(folder / "graph"))
    return tft.TFTransformOutput(str(folder / "graph")).vocabulary_by_name("tokens")


@pytest.mark.parametrize(
    "settings",
    [{}, {"min_count": 2}, {"max_size": 5}, {"min_count": 2, "max_size": 3}],
    ids=str,
)
def test_without_an_earlier_one_it_is_that_of_tensorflow_transform(settings, tmp_path):
    settings = VocabularyConfig(**settings)
    tokens = order_vocabulary(Counter(TOKENS), settings)
    assert tokens == by_tft(TOKENS, settings, tmp_path)
    assert tokens[0] == b"often"


def test_no_id_at_all_is_the_entry_that_tensorflow_transform_writes(tmp_path):
    settings = VocabularyConfig(min_count=9)
    expected = by_tft(TOKENS, settings, tmp_path)
    assert order_vocabulary(Counter(TOKENS), settings) == expected == [EMPTY_VOCABULARY]


@pytest.mark.parametrize(
    ("max_size", "tokens"),
    [
        (None, [b"old", b"gone", b"often", b"new", b"also"]),
        (4, [b"old", b"often", b"new", b"also"]),
        (1, [b"often"]),
    ],
)
def test_known_ids_come_first_and_those_seen_least_give_way(max_size, tokens):
    """`gone` is not seen any more, `old` too rarely to come in today."""
    counts = {b"new": 3, b"old": 1, b"often": 7, b"also": 2, b"rare": 1}
    settings = VocabularyConfig(min_count=2, max_size=max_size)
    assert order_vocabulary(counts, settings, [b"old", b"gone"]) == tokens


def test_an_empty_vocabulary_grows_from_nothing():
    grown = order_vocabulary({b"a": 1}, VocabularyConfig(), [EMPTY_VOCABULARY])
    assert grown == [b"a"]
