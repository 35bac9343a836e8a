"""A client of the embedded server and of TensorFlow Serving, without TensorFlow.

Example:
    from serving.client import RankingClient

    with RankingClient(grpc="127.0.0.1:8500") as client:
        result = client.rank(
            {"user_id": "u1", "avc": 3, "history_video_ids": ["v7", "v2"]},
            {"video_id": ["v1", "v2"], "video_age_hours": [1.5, 30.0]},
        )
        print(result.fused)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.client.inputs import as_arrays
from serving.client.retries import Deadline, Retries
from serving.client.tls import TlsFiles
from serving.client.transport import (
    ModelChoice,
    ModelMetadata,
    Transport,
    VersionStatus,
)
from serving.protocol.errors import FailedPrecondition, Internal, InvalidArgument
from serving.protocol.tensor_spec import Array

# Errors of a request whose signature is not the one that the client knows.
_OUTDATED = (FailedPrecondition, Internal, InvalidArgument)


@dataclass(frozen=True)
class RankResult:
    """Scores of the candidates, in the order of the request.

    Attributes:
        tasks: Names of the T tasks, or their indices if the model gives no names.
        scores: Probability [M, T] of each task.
        fused: The ranking score [M].
    """

    tasks: tuple[str, ...]
    scores: Array
    fused: Array

    def as_dict(self) -> dict[str, Any]:
        """Plain lists for JSON: `scores` by task, `fused`."""
        return {
            "scores": {
                task: self.scores[:, index].tolist()
                for index, task in enumerate(self.tasks)
            },
            "fused": self.fused.tolist(),
        }


class RankingClient:
    """Asks one model over gRPC or REST; may be shared between threads.

    Connections are kept and used again. A call that finds the server unavailable is
    tried again within its time (`serving.client.retries`): over gRPC on UNAVAILABLE,
    over REST on status 503 or if no connection was made. It is not tried again on any
    other error, nor if a REST connection broke after the request was sent. There is no
    asyncio variant: use one thread per concurrent call; both libraries underneath
    release Python's lock.

    Args:
        grpc: `host:port` of the gRPC service; preferred if both are given.
        rest: `http://host:port` or `https://host:port` of the REST service.
        name: The model's name.
        timeout_s: Deadline of each call, all its tries included.
        version: Ask this version; without it and `label`, the newest one.
        label: Ask the version with this label.
        tls: Files of an encrypted connection.
        retries: When a call is tried again.

    Raises:
        ValueError: If neither address is given or one is no such address, if both a
            version and a label are given, or if `tls` names files of something else.
        OSError: If one of its files cannot be read.
    """

    def __init__(
        self,
        grpc: str | None = None,
        rest: str | None = None,
        name: str = "ranker",
        timeout_s: float = 10.0,
        version: int | None = None,
        label: str | None = None,
        tls: TlsFiles | None = None,
        retries: Retries | None = None,
    ):
        model = ModelChoice(name, version, label)
        self._transport = _transport(grpc, rest, model, tls)
        self._timeout_s = timeout_s
        self._retries = retries or Retries()
        self._metadata: ModelMetadata | None = None

    def predict(
        self,
        inputs: Mapping[str, Any],
        signature_name: str = "serving_default",
        timeout_s: float | None = None,
    ) -> dict[str, Array]:
        """Runs a signature.

        The signature is asked for once and kept. If the inputs do not fit it, or the
        server says so, it is asked for again; if a new version has changed it, the call
        is made once more.

        Args:
            inputs: Scalars, nested lists or arrays by input name; they are converted to
                the signature's dtypes.
            signature_name: The signature.
            timeout_s: Deadline of this call; None takes the client's.

        Returns:
            Arrays by output name; bytes objects for strings.

        Raises:
            ServingError: If the inputs do not fit or the server refuses.
        """
        deadline = self._deadline(timeout_s)
        known = self._metadata
        metadata = known or self._refreshed(deadline)
        try:
            return self._run(metadata, signature_name, inputs, deadline)
        except _OUTDATED:
            if known is None:
                raise
            metadata = self._refreshed(deadline)
            if metadata.signatures == known.signatures:
                raise
        return self._run(metadata, signature_name, inputs, deadline)

    def rank(
        self,
        user: Mapping[str, Any],
        candidates: Mapping[str, list[Any]],
        timeout_s: float | None = None,
    ) -> RankResult:
        """Scores M candidates for one user, by the signature `rank`.

        Args:
            user: The user's and the context's features, without a batch dimension.
            candidates: The candidates' features, M values each.
            timeout_s: Deadline of this call; None takes the client's.

        Raises:
            ServingError: If the features do not fit or the server refuses.
        """
        twice = sorted(user.keys() & candidates.keys())
        if twice:
            raise InvalidArgument(
                f"expected each input once, of the user or of the candidates. Received "
                f"of both: {', '.join(twice)}"
            )
        outputs = self.predict({**user, **candidates}, "rank", timeout_s)
        for name in ("scores", "fused"):
            if name not in outputs:
                raise Internal(
                    f"the signature 'rank' has no output {name!r}, only "
                    f"{sorted(outputs)}"
                )
        scores = outputs["scores"]
        names = outputs.get("tasks", range(scores.shape[1]))
        tasks = (
            name.decode() if isinstance(name, bytes) else str(name) for name in names
        )
        return RankResult(tuple(tasks), scores, outputs["fused"])

    def status(self, timeout_s: float | None = None) -> list[VersionStatus]:
        """State of the chosen version, or of every version if none is chosen.

        Raises:
            ServingError: If the model is unknown or the server does not answer.
        """
        return self._retries.call(self._transport.status, self._deadline(timeout_s))

    def metadata(self, timeout_s: float | None = None) -> ModelMetadata:
        """The served version's signatures, as last asked for.

        Raises:
            ServingError: If the model is unknown or the server does not answer.
        """
        return self._metadata or self._refreshed(self._deadline(timeout_s))

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> RankingClient:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _deadline(self, timeout_s: float | None) -> Deadline:
        return self._retries.deadline(
            self._timeout_s if timeout_s is None else timeout_s
        )

    def _refreshed(self, deadline: Deadline) -> ModelMetadata:
        self._metadata = self._retries.call(self._transport.metadata, deadline)
        return self._metadata

    def _run(
        self,
        metadata: ModelMetadata,
        signature_name: str,
        inputs: Mapping[str, Any],
        deadline: Deadline,
    ) -> dict[str, Array]:
        if signature_name not in metadata.signatures:
            raise FailedPrecondition(
                f"the model has no signature {signature_name!r}, only "
                f"{sorted(metadata.signatures)}"
            )
        spec = metadata.signatures[signature_name]
        arrays = as_arrays(inputs, spec.inputs)

        def attempt(timeout_s: float) -> dict[str, Array]:
            return self._transport.predict(signature_name, arrays, spec, timeout_s)

        return self._retries.call(attempt, deadline)


def _transport(
    grpc: str | None, rest: str | None, model: ModelChoice, tls: TlsFiles | None
) -> Transport:
    # Imported where chosen: a REST client loads no gRPC and the other way round.
    if grpc is not None:
        from serving.client.grpc_transport import GrpcTransport

        return GrpcTransport(grpc, model, tls)
    if rest is not None:
        from serving.client.rest_transport import RestTransport

        return RestTransport(rest, model, tls)
    raise ValueError("expected the address of a server: grpc, rest or both")
