"""What may go wrong with a request, by gRPC status code.

The server raises the subclasses and both protocols report them; the client raises the
same classes when an answer carries their code.
"""

from __future__ import annotations

# What a model's graph may raise beside the classes below; all else is a 500.
_OTHER_HTTP_STATUS = {
    "CANCELLED": 499,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
}


class ServingError(Exception):
    """A request that was not answered.

    Attributes:
        code: Name of the gRPC status code, such as `INVALID_ARGUMENT`.
        http_status: The HTTP status with which TensorFlow Serving reports this code.
        message: What was wrong, expected and received.
    """

    code: str = "UNKNOWN"
    http_status: int = 500

    def __init__(self, message: str, code: str | None = None):
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
            self.http_status = _OTHER_HTTP_STATUS.get(code, self.http_status)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class InvalidArgument(ServingError):
    """The request itself is wrong: a name, a type, a shape or a value."""

    code, http_status = "INVALID_ARGUMENT", 400


class NotFound(ServingError):
    """No such model or version."""

    code, http_status = "NOT_FOUND", 404


class FailedPrecondition(ServingError):
    """The model has no such signature or version label."""

    code, http_status = "FAILED_PRECONDITION", 400


class ResourceExhausted(ServingError):
    """The request is larger than the server takes, or memory ran out."""

    code, http_status = "RESOURCE_EXHAUSTED", 429


class Unimplemented(ServingError):
    """An operation of the protocol that this server does not offer."""

    code, http_status = "UNIMPLEMENTED", 501


class Internal(ServingError):
    """A defect of the server or the model."""

    code, http_status = "INTERNAL", 500


class Unavailable(ServingError):
    """The server does not answer."""

    code, http_status = "UNAVAILABLE", 503


class DeadlineExceeded(ServingError):
    """The answer did not come in time."""

    code, http_status = "DEADLINE_EXCEEDED", 504


_BY_CODE = {error.code: error for error in ServingError.__subclasses__()}
# Two codes share 400; without the code, an argument is the likelier cause.
_BY_HTTP_STATUS = {
    **{error.http_status: error for error in ServingError.__subclasses__()},
    400: InvalidArgument,
    413: ResourceExhausted,
}


def error_of_code(code: str, message: str) -> ServingError:
    """The error of a gRPC status code's name."""
    if code in _BY_CODE:
        return _BY_CODE[code](message)
    return ServingError(message, code=code)


def error_of_http_status(status: int, message: str) -> ServingError:
    """The error of an HTTP status."""
    if status in _BY_HTTP_STATUS:
        return _BY_HTTP_STATUS[status](message)
    return ServingError(f"{message} (HTTP status {status})")
