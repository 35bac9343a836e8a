"""What the rows of tables of rates' buckets stand for."""

from pipeline.training.warm_start.input_meaning import InputMeaning
from tests.helpers.rated_rows import rated_settings


def test_rows_of_quantiles_are_the_next_days_and_of_another_number_are_not():
    one, other = (
        InputMeaning.of(rated_settings(transform={"rate_buckets": buckets}))
        for buckets in (5, 6)
    )
    bounds = list(rated_settings().transform.count_boundaries)
    for table in ("embedding/{}_table", "personalization_code/{}_embedded"):
        of_rate, of_count = (
            f"{table.format(name)}/embeddings"
            for name in ("user_like_rate_bucket", "user_like_count_bucket")
        )
        assert one.rows_of(of_rate) == {"boundaries": [], "quantiles": 5}
        assert other.rows_of(of_rate) == {"boundaries": [], "quantiles": 6}
        for meaning in (one, other):
            assert meaning.rows_of(of_count) == {"boundaries": bounds, "quantiles": 0}


def test_a_model_with_buckets_reads_other_inputs_than_one_without():
    buckets = InputMeaning.of(rated_settings())
    numbers = InputMeaning.of(rated_settings(transform={"rate_buckets": None}))
    assert buckets.inputs != numbers.inputs
