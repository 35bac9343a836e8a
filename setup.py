"""Metadata of `poso-keras`, the layers; `application/setup.py` has the application's.

Two distributions from one tree: an extra can add dependencies but no packages, and who
wants the layers alone should not get modules called `pipeline` or `serving`.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()

setup(
    name="poso-keras",
    version=VERSION,
    description="Keras layers for personalized cold start (POSO), and GAUC.",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=("poso_keras", "poso_keras.*")),
    package_data={"poso_keras": ["py.typed"]},
    install_requires=["tensorflow>=2.16", "keras>=3.0", "numpy>=1.23"],
    extras_require={
        "tf-keras": ["tf-keras>=2.16"],
        "plot": ["matplotlib>=3.8"],
        # Not an unknown extra, which pip would pass over with a mere warning.
        "pipeline": [f"poso[pipeline]=={VERSION}"],
        "serving": [f"poso[serving]=={VERSION}"],
    },
)
