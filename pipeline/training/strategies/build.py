"""Distribution strategies by configuration."""

from __future__ import annotations

import functools
import math

import tensorflow as tf

from pipeline.config import StrategyConfig
from pipeline.training.cluster.membership import Member


@functools.cache
def build_strategy(config: StrategyConfig) -> tf.distribute.Strategy:
    """The strategy a configuration asks for, one object per process.

    One, because two strategies over the same devices number their collective operations
    alike, and TensorFlow confuses the second training's with the first's.

    `mirrored` uses the machine's GPUs, or logical devices of its CPU where it has none.
    `multi_worker` and `parameter_server` find their cluster in `TF_CONFIG`, and must
    be the first that a process does with TensorFlow.

    Raises:
        ClusterError: There is no cluster to be found.
        ValueError: Fewer devices than replicas.
        RuntimeError: The CPU cannot be split, since TensorFlow has already started.
    """
    if config.kind == "none":
        return tf.distribute.get_strategy()
    if config.kind == "mirrored":
        return tf.distribute.MirroredStrategy(_devices(config.replicas))
    if config.kind == "tpu":
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=config.tpu)
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    Member.from_environment()
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    if config.kind == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy(resolver)
    return tf.distribute.ParameterServerStrategy(
        resolver,
        variable_partitioner=tf.distribute.experimental.partitioners.MinSizePartitioner(
            config.min_shard_bytes, max_shards=resolver.cluster_spec().num_tasks("ps")
        ),
    )


def learning_rate_factor(config: StrategyConfig, replicas: int) -> float:
    """What the learning rate is multiplied by.

    Args:
        config: Says how it grows.
        replicas: That take a step together (`Strategy.num_replicas_in_sync`): of
            parameter servers' workers each takes its own, so that is 1.
    """
    if config.scale_learning_rate == "linear":
        return float(replicas)
    return math.sqrt(replicas) if config.scale_learning_rate == "sqrt" else 1.0


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes."""
    return bool(strategy.extended.should_checkpoint)


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
