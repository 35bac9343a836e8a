"""`ServingValidator`: no model is pushed that the server has not served."""

import os
from pathlib import Path

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import path_utils

from pipeline.config import TrialPart
from pipeline.progress import report_progress
from pipeline.validation.trial import try_in_server
from pipeline.validation.trial_retry import note_retry

# What InfraValidator writes and Pusher looks for.
BLESSED_FILE, NOT_BLESSED_FILE = "INFRA_BLESSED", "INFRA_NOT_BLESSED"


@component
def ServingValidator(
    config: Parameter[str],
    examples: InputArtifact[standard_artifacts.Examples],
    model: InputArtifact[standard_artifacts.Model],
    retry_of: Parameter[str],
    blessing: OutputArtifact[standard_artifacts.InfraBlessing],
) -> None:
    """Tries the model in the embedded server, as InfraValidator does in TF Serving.

    `config` is a `TrialPart` as JSON. `retry_of` tells a trial from an earlier one that
    failed, which TFX would reuse.
    """
    fileio.makedirs(blessing.uri)
    result = try_in_server(
        TrialPart.model_validate_json(config),
        path_utils.serving_model_path(model.uri),
        artifact_utils.get_split_uri([examples], "eval"),
    )
    result.write(blessing.uri)
    note_retry(Path(blessing.uri), retry_of)
    verdict = BLESSED_FILE if result.passed else NOT_BLESSED_FILE
    with fileio.open(os.path.join(blessing.uri, verdict), "w") as file:
        file.write("")
    blessing.set_int_custom_property("blessed", int(result.passed))
    for problem in result.problems:
        report_progress(f"the model is not pushed: {problem}")
    if result.passed:
        report_progress(
            f"served {result.requests} requests; scores differ by at most "
            f"{result.max_difference:.0e}"
        )
