"""What the rows of tables of rates' buckets stand for."""

from pipeline.training.warm_start.input_meaning import InputMeaning
from tests.helpers.rated_rows import rated_settings


def test_rows_of_quantiles_are_the_next_days_and_of_another_number_are_not():
    one, same, other = (
        InputMeaning.of(rated_settings(transform={"rate_buckets": buckets}))
        for buckets in (5, 5, 6)
    )
    for table in ("embedding/{}_table", "personalization_code/{}_embedded"):
        of_rate, of_count = (
            f"{table.format(name)}/embeddings"
            for name in ("user_like_rate_bucket", "user_like_count_bucket")
        )
        assert one.rows_of(of_rate) == same.rows_of(of_rate) is not None
        assert one.rows_of(of_rate) != other.rows_of(of_rate)
        assert one.rows_of(of_count) == other.rows_of(of_count) is not None


def test_a_model_with_buckets_reads_other_inputs_than_one_without():
    buckets = InputMeaning.of(rated_settings())
    numbers = InputMeaning.of(rated_settings(transform={"rate_buckets": None}))
    assert buckets.inputs != numbers.inputs
