"""The files by which a client and a server prove who they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of an encrypted connection.

    Attributes:
        ca: Certificates of the authorities that may have signed the server's
            certificate; with None, those that come with the protocol's library.
        certificate: The client's own certificate, for mutual TLS.
        key: The private key of `certificate`.
        server_name: The name in the server's certificate, if it is not the host in
            the address.

    Raises:
        ValueError: If only one of `certificate` and `key` is given.
    """

    ca: str | Path | None = None
    certificate: str | Path | None = None
    key: str | Path | None = None
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError(
                "mutual TLS needs both `certificate` and `key`. Received: "
                f"{self.certificate} and {self.key}"
            )
