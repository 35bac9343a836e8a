import pytest
from pydantic import ValidationError

from preprocessing.transform.config import VocabularyConfig


@pytest.mark.parametrize("kept", ["max_size", "min_count", "oov_buckets"])
def test_a_hashed_table_has_no_settings_of_a_vocabulary(kept):
    with pytest.raises(ValidationError, match=f"hash_buckets .* Received: {kept}"):
        VocabularyConfig(hash_buckets=9, **{kept: 7})


def test_a_hashed_table_travels_as_text():
    hashed = VocabularyConfig(hash_buckets=9)
    assert VocabularyConfig.model_validate_json(hashed.model_dump_json()) == hashed
