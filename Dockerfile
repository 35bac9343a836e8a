# The image in which the pipeline's steps run. Two targets share one environment:
#
#   docker build -t poso .                                TFX components on Kubeflow
#   docker build -t poso-worker --target beam-worker .    Beam workers
#
# Kubeflow (default target): TFX writes the command of every step, `python -m
# tfx.orchestration.kubeflow.v2...`, into the pipeline, which replaces an entry point;
# the image only has to hold `python` and the project. It runs as a normal user.
#
# Beam workers: Dataflow (--sdk_container_image=poso-worker), Flink and Spark
# (--environment_type=DOCKER --environment_config=poso-worker) start the image by its
# entry point, which must be Beam's own boot program, of the version that submits the
# job. Dataflow mounts its folders as root, so this target keeps root.
ARG BEAM_VERSION=2.77.0

FROM apache/beam_python3.13_sdk:${BEAM_VERSION} AS beam

# The full image has the compilers that source-only dependencies (crcmod, pyfarmhash)
# need; only what it installs goes on.
FROM python:3.13-trixie AS build
WORKDIR /src
COPY requirements/current/pipeline.txt requirements/
RUN pip install --no-cache-dir --prefix=/install -r requirements/pipeline.txt
COPY . .
RUN pip install --no-cache-dir --no-deps --prefix=/install . ./application

# Packages go into the interpreter's own site-packages, not into a virtual
# environment: Beam's boot program makes one of its own, which sees only the former.
FROM python:3.13-slim-trixie AS runtime
COPY --from=build /install /usr/local
ENV TF_USE_LEGACY_KERAS=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
COPY configs configs

FROM runtime AS beam-worker
ARG BEAM_VERSION
COPY --from=beam /opt/apache/beam /opt/apache/beam
RUN python -c "import apache_beam, sys; sys.exit(apache_beam.__version__ != '${BEAM_VERSION}')"
ENTRYPOINT ["/opt/apache/beam/boot"]

# Kubeflow's launcher puts artifacts under these three folders as the image's user.
FROM runtime AS pipeline
RUN useradd --create-home --uid 1000 poso \
 && mkdir -p /gcs /minio /s3 \
 && chown poso /app /gcs /minio /s3
USER 1000
CMD ["poso", "--help"]
