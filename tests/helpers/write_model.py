"""Writes the model that the conformance suite asks, and the server's configuration.

    python -m tests.serving.conformance.write_model DIR [--mounted-at /models]

DIR receives the versions 1 and 2 of the model `conformance`, `models.config` and
`monitoring.config`. `--mounted-at` is where the server finds DIR, if elsewhere.
"""

import argparse
from pathlib import Path

import tensorflow as tf

NAME = "conformance"
# What version N adds to every number, so that answers tell which version gave them.
OFFSETS = {1: 10.0, 2: 20.0}
LABELS = {"stable": 1, "canary": 2}
MODELS_CONFIG = """\
model_config_list {{
  config {{
    name: "{name}"
    base_path: "{folder}"
    model_platform: "tensorflow"
    model_version_policy {{ all {{}} }}
{labels}  }}
}}
"""
MONITORING_CONFIG = """\
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""


def spec(name, dtype, *shape):
    return tf.TensorSpec(shape, dtype, name=name)


def examples_named(name):
    return [spec(name, tf.string, None)]


class Model(tf.Module):
    """One signature for each thing that the protocol can say."""

    def __init__(self, offset: float):
        super().__init__()
        self.offset = tf.Variable(offset)

    @tf.function(input_signature=[spec("x", tf.float32, None, 2)])
    def serving_default(self, x):
        return {"y": 2.0 * x + self.offset}

    @tf.function(
        input_signature=[spec("a", tf.float32, None), spec("b", tf.int64, None)]
    )
    def several(self, a, b):
        return {"total": a + tf.cast(b, tf.float32) + self.offset, "double_b": 2 * b}

    @tf.function(
        input_signature=[
            spec("text", tf.string, None),
            spec("flag", tf.bool, None),
            spec("int32", tf.int32, None),
            spec("int64", tf.int64, None),
            spec("float32", tf.float32, None),
            spec("float64", tf.float64, None),
        ]
    )
    def echo(self, text, flag, int32, int64, float32, float64):
        return {
            "text_out": tf.identity(text),
            "text_bytes": tf.identity(text),
            "flag_out": tf.identity(flag),
            "int32_out": tf.identity(int32),
            "int64_out": tf.identity(int64),
            "float32_out": tf.identity(float32),
            "float64_out": tf.identity(float64),
        }

    @tf.function(input_signature=[spec("x", tf.float32)])
    def scalar(self, x):
        return {"y": x + self.offset}

    @tf.function(input_signature=[spec("x", tf.float32, None)])
    def total(self, x):
        return {"total": tf.reduce_sum(x)[None], "x_out": tf.identity(x)}

    def _score(self, examples):
        parsed = tf.io.parse_example(
            examples,
            {
                "x": tf.io.FixedLenFeature([], tf.float32),
                "weight": tf.io.FixedLenFeature([], tf.int64, default_value=1),
                "name": tf.io.FixedLenFeature([], tf.string, default_value="nobody"),
            },
        )
        score = parsed["x"] * tf.cast(parsed["weight"], tf.float32) + self.offset
        return score, parsed["name"]

    @tf.function(input_signature=examples_named("inputs"))
    def classify(self, inputs):
        score, name = self._score(inputs)
        return {
            "scores": tf.stack([score, -score], axis=1),
            "classes": tf.stack([name, tf.fill(tf.shape(name), "other")], axis=1),
        }

    @tf.function(input_signature=examples_named("inputs"))
    def classify_scores(self, inputs):
        score, _ = self._score(inputs)
        return {"scores": score[:, None]}

    @tf.function(input_signature=examples_named("inputs"))
    def classify_classes(self, inputs):
        _, name = self._score(inputs)
        return {"classes": name[:, None]}

    @tf.function(input_signature=examples_named("inputs"))
    def classify_flat(self, inputs):
        score, _ = self._score(inputs)
        return {"scores": score}

    @tf.function(input_signature=examples_named("inputs"))
    def regress(self, inputs):
        score, _ = self._score(inputs)
        return {"outputs": score}

    @tf.function(input_signature=examples_named("inputs"))
    def regress_column(self, inputs):
        score, _ = self._score(inputs)
        return {"outputs": score[:, None]}

    @tf.function(input_signature=examples_named("inputs"))
    def regress_wide(self, inputs):
        score, _ = self._score(inputs)
        return {"outputs": tf.stack([score, score], axis=1)}

    @tf.function(input_signature=examples_named("examples"))
    def other_input(self, examples):
        score, _ = self._score(examples)
        return {"outputs": score}

    @tf.function(input_signature=examples_named("inputs"))
    def three_outputs(self, inputs):
        score, name = self._score(inputs)
        return {"scores": score[:, None], "classes": name[:, None], "more": score}


def signatures(model: Model) -> dict:
    found = (getattr(model, name) for name in dir(Model) if not name.startswith("_"))
    functions = [value for value in found if hasattr(value, "get_concrete_function")]
    return {function.__name__: function for function in functions}


def write(folder: Path, mounted_at: str | None = None) -> None:
    for version, offset in OFFSETS.items():
        model = Model(offset)
        path = str(folder / NAME / str(version))
        tf.saved_model.save(model, path, signatures=signatures(model))
    labels = "".join(
        f'    version_labels {{ key: "{label}" value: {version} }}\n'
        for label, version in LABELS.items()
    )
    config = MODELS_CONFIG.format(
        name=NAME, folder=f"{mounted_at or folder.resolve()}/{NAME}", labels=labels
    )
    (folder / "models.config").write_text(config, encoding="utf-8")
    (folder / "monitoring.config").write_text(MONITORING_CONFIG, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mounted-at")
    arguments = parser.parse_args()
    write(arguments.folder, arguments.mounted_at)
