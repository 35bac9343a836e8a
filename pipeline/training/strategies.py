"""Distribution strategies by configuration."""

from __future__ import annotations

import functools

import tensorflow as tf

from pipeline.config import StrategyConfig


@functools.cache
def build_strategy(config: StrategyConfig) -> tf.distribute.Strategy:
    """The strategy a configuration asks for, one object per process.

    One, because two strategies over the same devices number their collective operations
    alike, and TensorFlow confuses the second training's with the first's.

    `mirrored` uses the machine's GPUs, or logical devices of its CPU where it has none.
    `multi_worker_mirrored` and `parameter_server` find their cluster in `TF_CONFIG`,
    which Kubeflow's training operators and Vertex AI set.

    Raises:
        ValueError: Fewer devices than replicas; no cluster to be found.
        RuntimeError: The CPU cannot be split, since TensorFlow has already started.
    """
    if config.kind == "none":
        return tf.distribute.get_strategy()
    if config.kind == "mirrored":
        return tf.distribute.MirroredStrategy(_devices(config.replicas))
    if config.kind == "multi_worker_mirrored":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if config.kind == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=config.tpu)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    return tf.distribute.ParameterServerStrategy(
        _cluster(),
        variable_partitioner=tf.distribute.experimental.partitioners.MinSizePartitioner(
            min_shard_bytes=config.min_shard_bytes
        ),
    )


def prepare_devices(config: StrategyConfig) -> None:
    """Splits the CPU where the strategy will need it; call before TensorFlow starts."""
    if config.kind == "mirrored" and not _has_gpu():
        _split_cpu(config.replicas or 1)


def _devices(replicas: int | None) -> list[str] | None:
    gpus = tf.config.list_logical_devices("GPU") if _has_gpu() else []
    if gpus:
        if replicas is not None and replicas > len(gpus):
            raise ValueError(
                f"strategy.replicas must be at most the number of GPUs, {len(gpus)}. "
                f"Received: {replicas}"
            )
        return [device.name for device in gpus[:replicas]]
    return [f"CPU:{index}" for index in range(_split_cpu(replicas or 1))]


def _has_gpu() -> bool:
    return bool(tf.config.list_physical_devices("GPU"))


def _split_cpu(replicas: int) -> int:
    """Makes at least that many logical CPU devices, once per process."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    configured = tf.config.get_logical_device_configuration(cpu)
    if replicas > len(configured or [None]):
        try:
            tf.config.set_logical_device_configuration(
                cpu, [tf.config.LogicalDeviceConfiguration()] * replicas
            )
        except RuntimeError as error:
            raise RuntimeError(
                f"cannot split the CPU into {replicas} logical devices after "
                "TensorFlow has started; run the training in a process of its own"
            ) from error
    return replicas


def _cluster() -> tf.distribute.cluster_resolver.ClusterResolver:
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if not resolver.cluster_spec().as_dict():
        raise ValueError(
            "strategy 'parameter_server' needs a cluster in the environment variable "
            "TF_CONFIG, with 'worker' and 'ps' jobs. Received: none"
        )
    return resolver
