"""The files by which a client and a server prove who they are."""

from __future__ import annotations

import ssl
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

    def check(self) -> None:
        """Reads the files: what the protocols' libraries say of them names none.

        Raises:
            OSError: If a file cannot be read.
            ValueError: If one is not what it should be.
        """
        for path in (self.ca, self.certificate, self.key):
            if path is not None:
                Path(path).read_bytes()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            if self.ca is not None:
                context.load_verify_locations(self.ca)
        except ssl.SSLError as error:
            raise ValueError(f"{self.ca} holds no certificates: {error}") from error
        try:
            if self.certificate is not None:
                # An empty password, or a key that has one would ask for it here.
                context.load_cert_chain(self.certificate, self.key, password="")
        except ssl.SSLError as error:
            raise ValueError(
                f"{self.certificate} and {self.key} are no certificate and its private "
                f"key without a password: {error}"
            ) from error
