"""The processes that a coordinator trains with: they hold variables, or compute."""

from __future__ import annotations

import tensorflow as tf

from pipeline.training.cluster.membership import ClusterError, Member


def serve(member: Member) -> None:
    """Serves a coordinator, and the next; ends with the process.

    It reads no data: a step comes with its examples.

    Args:
        member: A worker or a parameter server.

    Raises:
        ClusterError: It cannot listen on its port.
    """
    try:
        server = tf.distribute.Server(
            tf.train.ClusterSpec({k: list(v) for k, v in member.cluster.items()}),
            job_name=member.task,
            task_index=member.index,
            protocol="grpc",
        )
    except tf.errors.UnknownError as error:
        raise ClusterError(
            f"cannot listen at {member.address}; is the port in use? {error.message}"
        ) from error
    server.join()
