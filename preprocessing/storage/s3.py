"""Objects under `s3://`, in Amazon's store or one that speaks its protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import IO

import pyarrow as pa
from pyarrow import fs

from preprocessing.storage.store import RemoteFile

_SCHEME = "s3://"
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "S3_ENDPOINT")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


class S3Store:
    """A store by Arrow's client.

    Credentials are found as Amazon's own tools find them: `AWS_ACCESS_KEY_ID` and
    `AWS_SECRET_ACCESS_KEY`, a profile, or the machine's role. Another server than
    Amazon's is named by `AWS_ENDPOINT_URL`, or by TensorFlow's `S3_ENDPOINT` and
    `S3_USE_HTTPS`.

    Every method raises an OSError whose message names the place.
    """

    client = "Arrow's S3 client"

    def find(self, place: str) -> list[RemoteFile]:
        """Files below a place, or the one that it is."""
        path = _path(place)
        with _errors_of(place):
            store = _store(_bucket(path))
            itself = store.get_file_info(path)
            if itself.type == fs.FileType.File:
                return [_remote_file("", itself)]
            if store.get_file_info(_bucket(path)).type == fs.FileType.NotFound:
                raise OSError("NO_SUCH_BUCKET")
            selector = fs.FileSelector(path, recursive=True, allow_not_found=True)
            return [
                _remote_file(info.path.removeprefix(path + "/"), info)
                for info in store.get_file_info(selector)
                if info.type == fs.FileType.File
            ]

    def open(self, uri: str) -> pa.NativeFile:
        """Opens a file for reading, with random access."""
        with _errors_of(uri):
            return _store(_bucket(_path(uri))).open_input_file(_path(uri))

    def create(self, uri: str) -> IO[bytes]:
        """Opens a file for writing; it is there once it is closed."""
        with _errors_of(uri):
            # By default Arrow would compress what is called *.gz once more.
            stream: IO[bytes] = _store(_bucket(_path(uri))).open_output_stream(
                _path(uri), compression=None
            )
            return stream

    def delete(self, uris: Sequence[str]) -> None:
        """Deletes files."""
        for uri in uris:
            with _errors_of(uri):
                _store(_bucket(_path(uri))).delete_file(_path(uri))

    def rename(self, uris: Sequence[str], to: Sequence[str]) -> None:
        """Moves files, in this order."""
        for old, new in zip(uris, to, strict=True):
            with _errors_of(old):
                _store(_bucket(_path(old))).move(_path(old), _path(new))


def endpoint(environment: Mapping[str, str]) -> str | None:
    """The address of a server that is not Amazon's, with its scheme.

    Args:
        environment: The process's environment.
    """
    for name in _ENDPOINTS:
        address = environment.get(name, "")
        if address and "://" not in address:
            plain = environment.get("S3_USE_HTTPS", "1").lower() in ("0", "false")
            address = f"{'http' if plain else 'https'}://{address}"
        if address:
            return address
    return None


def _path(uri: str) -> str:
    """The bucket and the key."""
    return uri.removeprefix(_SCHEME).rstrip("/")


def _bucket(path: str) -> str:
    return path.split("/")[0]


def _remote_file(name: str, info: fs.FileInfo) -> RemoteFile:
    return RemoteFile(name, info.size, f"{info.size}-{info.mtime_ns}", info.mtime_ns)


def _store(bucket: str) -> fs.S3FileSystem:
    return _client(
        bucket,
        endpoint(os.environ),
        next((os.environ[name] for name in _REGIONS if os.environ.get(name)), None),
    )


@lru_cache
def _client(bucket: str, address: str | None, region: str | None) -> fs.S3FileSystem:
    if address is None:
        return fs.S3FileSystem(region=region or fs.resolve_s3_region(bucket))
    return fs.S3FileSystem(endpoint_override=address, region=region or "us-east-1")


@contextmanager
def _errors_of(place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(f"{place}: {_advice(error)}") from error


def _advice(error: OSError) -> str:
    message = str(error)
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if "ACCESS_DENIED" in message or "InvalidAccessKeyId" in message:
        return (
            "the store refuses access: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, a profile (AWS_PROFILE) or the machine's role, of "
            "somebody who may read and write there"
        )
    if "NO_SUCH_BUCKET" in message or "does not exist" in message:
        return "there is no such bucket"
    if "NETWORK_CONNECTION" in message:
        return (
            "the store does not answer at "
            f"{endpoint(os.environ) or 'the address of Amazon'}; AWS_ENDPOINT_URL "
            "names another"
        )
    return message
