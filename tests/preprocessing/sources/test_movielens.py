import time

import pyarrow.compute as pc
import pytest

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.engine.write_table import write_feature_table
from preprocessing.sources import open_source
from preprocessing.storage.files import SourceError

SOURCE = SourceConfig(format="movielens")
LABELS = {
    "favorite": {"column": "rating", "at_least": 5},
    "satisfied": {"column": "rating", "at_least": 4},
}
CONFIG = FeatureConfig(labels=LABELS, new_user={"max_avc": 2}, shards=2)


def write_1m(folder, *ratings):
    lines = ratings or ("1::10::5::978300760", "1::11::3::978300761")
    (folder / "ratings.dat").write_text("\n".join(lines) + "\n")
    movies = "10::Star Wars: Episode IV (1977)::Action|Sci-Fi\n11::Misérables::Drama\n"
    (folder / "movies.dat").write_bytes(movies.encode("latin-1"))
    (folder / "users.dat").write_text("1::F::25::15::48067\n")
    return folder


def write_20m(folder, *ratings):
    lines = ratings or ("1,10,4.5,1112486027", "1,11,3.5,1112484676")
    header = "userId,movieId,rating,timestamp\n"
    (folder / "ratings.csv").write_text(header + "\n".join(lines) + "\n")
    (folder / "movies.csv").write_text(
        "movieId,title,genres\n"
        '10,"American President, The (1995)",Comedy|Drama|Romance\n'
        "11,Les Misérables (1998),(no genres listed)\n",
        encoding="utf-8",
    )
    return folder


def rows_of(folder, config=CONFIG):
    features = compute_feature_table(SOURCE, config, str(folder)).features
    return sorted(features.to_pylist(), key=lambda row: row["event_time_ms"])


def test_ratings_of_ml_1m(tmp_path):
    first, second = rows_of(write_1m(tmp_path))
    assert first["event_time_ms"] == 978_300_760_000
    assert first["video_tags"] == ["Action", "Sci-Fi"]
    assert (first["favorite"], first["satisfied"]) == (1, 1)
    assert (second["favorite"], second["satisfied"], second["rating"]) == (0, 0, 3)
    assert second["history_video_ids"] == ["10"]
    assert second["history_tags"] == ["Action"]
    assert second["history_gap_ms"] == [1000]


def test_ratings_of_ml_20m(tmp_path):
    first, second = rows_of(write_20m(tmp_path))
    assert first["video_tags"] == []
    assert (first["video_id"], first["rating"]) == ("11", 3.5)
    assert (second["favorite"], second["satisfied"]) == (0, 1)
    assert second["video_tags"] == ["Comedy", "Drama", "Romance"]


def test_features_of_movies_and_users(tmp_path):
    config = FeatureConfig(
        labels=LABELS,
        extra=[
            {"name": "title", "entity": "video", "type": "categorical"},
            {"name": "gender", "entity": "user", "type": "categorical"},
            {"name": "age", "entity": "user", "type": "numeric"},
        ],
    )
    folder = write_1m(tmp_path, "1::10::5::978300760", "2::11::5::978300761")
    first, second = rows_of(folder, config)
    assert first["title"] == "Star Wars: Episode IV (1977)"
    assert (first["gender"], first["age"]) == ("F", 25)
    assert second["title"] == "Misérables"
    assert (second["gender"], second["age"]) == (None, None)


def test_lines_that_are_no_ratings_are_rejects(tmp_path):
    lines = ["1::10::5::978300760", "1::10::5", "1::10::good::978300761"]
    lines += [
        "1::10::5::then",
        "1::10::5::",
        "::10::5::978300762",
        "1::10::::978300763",
    ]
    config = CONFIG.model_copy(update={"max_reject_rate": 1})
    built = compute_feature_table(SOURCE, config, str(write_1m(tmp_path, *lines)))
    assert built.summary.rows_in == 7
    assert built.summary.by_reason == {
        "event_time_ms is missing": 1,
        "event_time_ms is not a number": 1,
        "rating is missing": 1,
        "rating is not a number": 1,
        "the line has another number of cells than the header": 1,
        "user_id is missing": 1,
    }


@pytest.mark.parametrize("missing", ["movies.dat", "ratings.dat"])
def test_a_missing_file_is_named(tmp_path, missing):
    (write_1m(tmp_path) / missing).unlink()
    named = {"movies.dat": r"movies\.dat", "ratings.dat": r"ratings\.csv"}[missing]
    with pytest.raises(SourceError, match=f"no {named} in"):
        rows_of(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"extra": [{"name": "age", "entity": "video", "type": "numeric"}]},
            "no video feature 'age'. Known: title",
        ),
        ({"labels": {"like": {"column": "is_like"}}}, "no label column 'is_like'"),
    ],
)
def test_what_the_data_set_does_not_have_is_named(tmp_path, changes, message):
    source = open_source(SOURCE, FeatureConfig(**changes), str(write_1m(tmp_path)))
    with pytest.raises(SourceError, match=message):
        source.parts()


def test_ml_20m_has_no_users(tmp_path):
    config = FeatureConfig(
        labels=LABELS, extra=[{"name": "age", "entity": "user", "type": "numeric"}]
    )
    with pytest.raises(SourceError, match="knows nothing of its users"):
        rows_of(write_20m(tmp_path), config)


def test_a_csv_without_a_column_is_named(tmp_path):
    folder = write_20m(tmp_path)
    (folder / "movies.csv").write_text("movieId,title\n10,x\n")
    with pytest.raises(SourceError, match=r"movies\.csv: column 'genres' is missing"):
        rows_of(folder)


def test_the_real_ml_1m_in_less_than_a_minute(data_dir, tmp_path):
    begun = time.monotonic()
    summary = write_feature_table(
        SOURCE, CONFIG, str(data_dir / "ml-1m"), str(tmp_path)
    )
    assert time.monotonic() - begun < 60
    assert (summary.rows_in, summary.rejects) == (1_000_209, 0)


def test_the_real_ml_1m_is_read_whole(data_dir):
    source = open_source(SOURCE, CONFIG, str(data_dir / "ml-1m"))
    ratings = [rows.table for part in source.parts() for rows in source.read(part)]
    stars = [pc.value_counts(part["rating"]).to_pylist() for part in ratings]
    counts = {}
    for found in stars:
        for count in found:
            counts[count["values"]] = counts.get(count["values"], 0) + count["counts"]
    lines = (data_dir / "ml-1m" / "ratings.dat").read_text().splitlines()
    for star in "12345":
        assert counts[star] == sum(line.split("::")[2] == star for line in lines)
    assert all(part["video_tags"].null_count == 0 for part in ratings)
