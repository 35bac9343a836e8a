r"""TensorFlow Serving's TLS configuration, for both ports.

TensorFlow Serving applies it to gRPC alone; its REST port has no TLS. Here both ports
have it.

Example:
    server_key: "-----BEGIN PRIVATE KEY-----\n..."
    server_cert: "-----BEGIN CERTIFICATE-----\n..."
    custom_ca: "-----BEGIN CERTIFICATE-----\n..."
    client_verify: true
"""

from __future__ import annotations

import os
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from serving.server.settings.config_files_pb2 import SSLConfig
from serving.server.settings.text_config import ServerConfigError, read_text_config


@dataclass(frozen=True)
class TlsConfig:
    """Certificates, as PEM texts.

    Attributes:
        server_key: The server's private key.
        server_cert: Its certificate, followed by those of intermediate authorities.
        custom_ca: Certificates of the authorities that clients' certificates are
            checked against; empty for none.
        client_verify: Whether clients must show a certificate (mutual TLS).

    Raises:
        ServerConfigError: If key and certificate are not PEM or not a pair, or clients
            are to be verified against no authority.
    """

    server_key: str = field(repr=False)
    server_cert: str
    custom_ca: str = ""
    client_verify: bool = False

    def __post_init__(self) -> None:
        if self.client_verify and not self.custom_ca:
            raise ServerConfigError(
                "client_verify needs custom_ca, the authority of the clients' "
                "certificates; received none"
            )
        try:
            self.ssl_context()
        except (ssl.SSLError, ValueError) as error:
            raise ServerConfigError(
                "expected server_key and server_cert to be a private key and its "
                f"certificate, and custom_ca certificates, all in PEM: {error}"
            ) from error

    def ssl_context(self) -> ssl.SSLContext:
        """For the REST port."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python reads a key from a file only; the folder is this user's alone.
        with tempfile.TemporaryDirectory() as folder:
            key, cert = os.path.join(folder, "key"), os.path.join(folder, "cert")
            Path(key).write_text(self.server_key, encoding="ascii")
            Path(cert).write_text(self.server_cert, encoding="ascii")
            context.load_cert_chain(cert, key)
        if self.client_verify:
            context.load_verify_locations(cadata=self.custom_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def grpc_credentials(self) -> grpc.ServerCredentials:
        """For the gRPC port."""
        return grpc.ssl_server_credentials(
            [(self.server_key.encode(), self.server_cert.encode())],
            root_certificates=self.custom_ca.encode() or None,
            require_client_auth=self.client_verify,
        )


def read_tls_config(path: str | Path) -> TlsConfig:
    """Reads a `--ssl-config-file`.

    Raises:
        ServerConfigError: If it cannot be read, or as `TlsConfig`.
    """
    message = read_text_config(path, SSLConfig)
    try:
        return TlsConfig(
            message.server_key,
            message.server_cert,
            message.custom_ca,
            message.client_verify,
        )
    except ServerConfigError as error:
        raise ServerConfigError(f"{path}: {error}") from error
