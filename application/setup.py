"""Metadata of `poso`, the application: all but the layers.

Its packages lie beside this folder, not in it, so only wheels and editable installs
can be built from here. The tools' settings are in the root's `pyproject.toml`.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent.parent
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
PACKAGES = (
    "cli",
    "experiments",
    "pipeline",
    "preprocessing",
    "serving",
    "simulator",
)

# Two stacks from one code; docs/upgrading.md says which is taken when, and why these
# versions are the newest that work together.
CURRENT = "python_version >= '3.11'"
WITH_TENSORFLOW_IO = "python_version < '3.11'"


def _on(marker: str, *requirements: str) -> list[str]:
    return [f"{requirement}; {marker}" for requirement in requirements]


TF = [
    *_on(CURRENT, "tensorflow>=2.21,<2.22", "tf-keras>=2.21,<2.22"),
    *_on(WITH_TENSORFLOW_IO, "tensorflow==2.16.2", "tf-keras==2.16.0"),
]
PIPELINE = [
    *TF,
    *_on(
        CURRENT,
        "tfx>=1.21,<1.22",
        "apache-beam[gcp]>=2.77,<2.78",
        # What tfx[kfp] brings, which leaves it out from Python 3.12 on.
        "kfp>=2.16,<2.17",
        "kfp-pipeline-spec>=2.16,<2.18",
    ),
    *_on(
        WITH_TENSORFLOW_IO,
        "tfx[kfp]==1.16.0",
        "apache-beam[gcp]==2.59.0",
        "setuptools<81",
    ),
    "tensorflow-recommenders==0.7.7",
    "fastavro>=1.9",
    "jinja2>=3.1",
    "matplotlib>=3.8",
    "pydantic>=2.7",
    "pyyaml>=6.0",
    "tzdata>=2024.1",  # time zones, where the system has no database of them
]
# Object stores (s3:// and others) in TensorFlow's own file layer.
TENSORFLOW_IO = _on(WITH_TENSORFLOW_IO, "tensorflow-io==0.37.1")
SERVING = [
    *TF,
    *_on(CURRENT, "tensorflow-serving-api>=2.19.1,<2.22"),
    *_on(WITH_TENSORFLOW_IO, "tensorflow-serving-api==2.16.1"),
    "aiohttp>=3.14",
    "grpcio>=1.60",
    "grpcio-health-checking>=1.48",
    "grpcio-reflection>=1.48",
    "numpy>=1.23",
    "prometheus-client>=0.20",
    "tenacity>=8.2",
    "urllib3>=1.26",
]
DEV = [
    "hypothesis>=6.100",
    "mkdocs>=1.6,<2",
    "mkdocs-material>=9.5",
    "mkdocstrings[python]>=0.26",
    "pymdown-extensions<11",  # mkdocstrings 1.0 calls its highlighter the old way
    "mypy>=1.10",
    "pre-commit>=3.7",
    "psutil>=5.9",
    "pytest>=8",
    "pytest-cov>=5",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "ruff>=0.5",
    "scikit-learn>=1.4",
    "trustme>=1.1",
    "types-protobuf",
    "types-PyYAML",
    "uv>=0.5",
]

setup(
    name="poso",
    version=VERSION,
    description="A ranking pipeline for feeds with a cold-start problem, built on "
    "POSO (Personalized Cold Start Modules).",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    package_dir={"": ".."},
    packages=find_packages("..", include=[n for p in PACKAGES for n in (p, f"{p}.*")]),
    package_data={
        "serving": ["py.typed"],
        "pipeline": ["*/templates/*"],
        "preprocessing": ["log_guess/templates/*"],
    },
    install_requires=[f"poso-keras=={VERSION}", "click>=8.1", "rich>=13"],
    extras_require={
        "pipeline": PIPELINE,
        "serving": SERVING,
        "tensorflow-io": TENSORFLOW_IO,
        "redis": ["redis>=5"],
        # Places of logs: Snappy and others in Avro, tables of Delta Lake, databases.
        "avro": ["fastavro[codecs]>=1.9"],
        "delta": ["deltalake>=1.6"],
        "sql": ["adbc-driver-postgresql>=1.7", "adbc-driver-sqlite>=1.7"],
        "mlflow": ["mlflow>=2.16"],
        "tensorboard": ["tensorboard>=2.16"],
        "benchmarks": ["polars>=1"],
        "experiments": ["lightgbm>=4.5"],
        "dev": DEV,
    },
    entry_points={"console_scripts": ["poso = cli.main:main"]},
)
