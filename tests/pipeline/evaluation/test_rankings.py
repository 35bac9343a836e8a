import pytest

from pipeline.evaluation.rankings import baselines_of, model_title, points


def test_points_are_the_models_less_the_baselines():
    gauc = {"model": 0.71, "plain": 0.70, "control": 0.715}
    assert points(gauc, "plain") == pytest.approx(1.0)
    assert points(gauc, "control") == pytest.approx(-0.5)


@pytest.mark.parametrize(
    "gauc", [{"model": None, "plain": 0.7}, {"model": 0.7, "plain": None}]
)
def test_without_a_gauc_there_is_no_difference(gauc):
    assert points(gauc, "plain") is None


def test_baselines_stand_in_the_order_of_the_tables():
    assert baselines_of(["popularity", "control", "model", "plain"]) == [
        "plain",
        "control",
    ]
    assert baselines_of(["model", "popularity"]) == []


def test_the_model_is_called_poso_beside_one_without():
    assert model_title(["model", "plain"]) == "POSO"
    assert model_title(["model", "popularity"]) == "model"
