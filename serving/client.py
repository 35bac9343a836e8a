"""A client of the embedded server and of TensorFlow Serving, without TensorFlow.

Example:
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
from types import TracebackType
from typing import Any

from serving.client_inputs import as_arrays
from serving.errors import FailedPrecondition, Internal, ServingError
from serving.tensor_spec import Array, SignatureSpec
from serving.transport import ModelMetadata, Transport, VersionStatus

__all__ = [
    "ModelMetadata",
    "RankResult",
    "RankingClient",
    "ServingError",
    "VersionStatus",
]


@dataclass(frozen=True)
class RankResult:
    """Scores of the candidates, in the order of the request.

    Attributes:
        tasks: Names of the T tasks, their indices if the model gives no names.
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

    Args:
        grpc: `host:port` of the gRPC service; preferred if both are given.
        rest: `http://host:port` of the REST service.
        name: The model's name.
        timeout_s: Deadline of each request.

    Raises:
        ValueError: If neither address is given.
    """

    def __init__(
        self,
        grpc: str | None = None,
        rest: str | None = None,
        name: str = "ranker",
        timeout_s: float = 10.0,
    ):
        self._transport = _transport(grpc, rest, name, timeout_s)
        self._metadata: ModelMetadata | None = None

    def predict(
        self, inputs: Mapping[str, Any], signature_name: str = "serving_default"
    ) -> dict[str, Array]:
        """Runs a signature.

        Args:
            inputs: Scalars, nested lists or arrays by input name; they are converted to
                the signature's dtypes.
            signature_name: The signature.

        Returns:
            Arrays by output name; bytes objects for strings.

        Raises:
            ServingError: If the inputs do not fit or the server refuses.
        """
        spec = self._signature(signature_name)
        arrays = as_arrays(inputs, spec.inputs)
        return self._transport.predict(signature_name, arrays, spec)

    def rank(
        self, user: Mapping[str, Any], candidates: Mapping[str, list[Any]]
    ) -> RankResult:
        """Scores M candidates for one user, by the signature `rank`.

        Args:
            user: The user's and the context's features, without a batch dimension.
            candidates: The candidates' features, M values each.

        Raises:
            ServingError: If the features do not fit or the server refuses.
        """
        outputs = self.predict({**user, **candidates}, "rank")
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

    def status(self) -> list[VersionStatus]:
        """State of every version of the model.

        Raises:
            ServingError: If the model is unknown or the server does not answer.
        """
        return self._transport.status()

    def metadata(self) -> ModelMetadata:
        """The newest version's signatures, asked for once and kept.

        Raises:
            ServingError: If the model is unknown or the server does not answer.
        """
        if self._metadata is None:
            self._metadata = self._transport.metadata()
        return self._metadata

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> RankingClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _signature(self, name: str) -> SignatureSpec:
        signatures = self.metadata().signatures
        if name not in signatures:
            raise FailedPrecondition(
                f"the model has no signature {name!r}, only {sorted(signatures)}"
            )
        return signatures[name]


def _transport(
    grpc: str | None, rest: str | None, name: str, timeout_s: float
) -> Transport:
    # Imported where chosen: a REST client loads no gRPC and the other way round.
    if grpc is not None:
        from serving.grpc_transport import GrpcTransport

        return GrpcTransport(grpc, name, timeout_s)
    if rest is not None:
        from serving.rest_transport import RestTransport

        return RestTransport(rest, name, timeout_s)
    raise ValueError("expected the address of a server: grpc, rest or both")
