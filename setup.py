"""Package metadata; the tools' settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

# TFX, TFMA and TFT hold the whole stack back; docs/architecture.md says why these
# are the newest versions that work together.
TF = ["tensorflow==2.16.2", "tf-keras==2.16.0"]
LAYERS = ["tensorflow>=2.16", "keras>=3.0", "numpy>=1.23"]
PIPELINE = [
    *TF,
    "tfx[kfp]==1.16.0",
    "tensorflow-recommenders==0.7.7",
    "tensorflow-io==0.37.1",
    "apache-beam[gcp]==2.59.0",
    "setuptools<81",
    "click>=8.1",
    "jinja2>=3.1",
    "matplotlib>=3.8",
    "pydantic>=2.7",
    "pyyaml>=6.0",
    "rich>=13",
]
SERVING = [
    *TF,
    "tensorflow-serving-api==2.16.1",
    "aiohttp>=3.14",
    "click>=8.1",
    "grpcio>=1.60",
    "grpcio-health-checking>=1.48",
    "grpcio-reflection>=1.48",
    "numpy>=1.23",
    "prometheus-client>=0.20",
    "rich>=13",
    "tenacity>=8.2.3",
    "urllib3>=1.26",
]
REDIS = ["redis>=5"]
EXPERIMENTS = ["scikit-learn>=1.4"]
BENCHMARKS = ["polars>=1"]
DEV = [
    "hypothesis>=6.100",
    "mypy>=1.10",
    "pre-commit>=3.7",
    "psutil>=5.9",
    "pytest>=8",
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
    version="0.1.0",
    description="A ranking pipeline for feeds with a cold-start problem, built on "
    "POSO (Personalized Cold Start Modules).",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(exclude=("tests", "tests.*", "benchmarks", "benchmarks.*")),
    package_data={
        "poso_keras": ["py.typed"],
        "serving": ["py.typed"],
        "pipeline": ["report/templates/*"],
    },
    install_requires=LAYERS,
    extras_require={
        "tf-keras": ["tf-keras>=2.16"],
        "pipeline": PIPELINE,
        "serving": SERVING,
        "redis": REDIS,
        "plot": ["matplotlib>=3.8"],
        "experiments": [*PIPELINE, *EXPERIMENTS],
        "benchmarks": [*PIPELINE, *BENCHMARKS],
        "dev": DEV,
    },
    entry_points={"console_scripts": ["poso = cli.main:main"]},
)
