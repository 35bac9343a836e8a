"""One small model, untrained but with random weights, and its SavedModel."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def small_model(small_transform):
    import tf_keras

    from pipeline.model.build import build_model
    from tests.helpers.small_transform import feature_row

    tf_keras.utils.set_random_seed(5)
    model = build_model(small_transform.config, small_transform.output)
    model(small_transform.apply(feature_row()))
    rng = np.random.default_rng(5)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(scale=0.4, size=variable.shape))
    return model


@pytest.fixture(scope="session")
def exported_dir(small_model, small_transform, made_once):
    from pipeline.model.export import export_model

    folder = made_once(
        "exported",
        lambda folder: export_model(
            small_model,
            small_transform.output,
            small_transform.config,
            str(folder / "7"),
        ),
    )
    return folder / "7"
