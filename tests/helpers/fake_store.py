"""An object store in memory under the scheme `fake://`, as Beam sees one."""

import io

from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem

FILES: dict[str, bytes] = {}


class _Upload(io.BytesIO):
    """Stored when it is closed, as in an object store."""

    def __init__(self, path):
        super().__init__()
        self._path = path

    def close(self):
        if not self.closed:
            FILES[self._path] = self.getvalue()
        super().close()


class FakeStore(FileSystem):
    @classmethod
    def scheme(cls):
        return "fake"

    def join(self, basepath, *paths):
        return "/".join([basepath.rstrip("/"), *paths])

    def split(self, path):
        return tuple(path.rsplit("/", 1))

    def mkdirs(self, path):
        pass

    def has_dirs(self):
        return False

    def _list(self, dir_or_prefix):
        for path, content in list(FILES.items()):
            if path.startswith(dir_or_prefix):
                yield FileMetadata(path, len(content))

    def create(self, path, mime_type="", compression_type=None):
        return _Upload(path)

    def open(self, path, mime_type="", compression_type=None):
        if path not in FILES:
            raise BeamIOError("not found", {path: None})
        return io.BytesIO(FILES[path])

    def copy(self, source_file_names, destination_file_names):
        pairs = zip(source_file_names, destination_file_names, strict=True)
        for source, target in pairs:
            FILES[target] = FILES[source]

    def rename(self, source_file_names, destination_file_names):
        pairs = zip(source_file_names, destination_file_names, strict=True)
        for source, target in pairs:
            FILES[target] = FILES.pop(source)

    def exists(self, path):
        return path in FILES

    def size(self, path):
        return len(FILES[path])

    def last_updated(self, path):
        return 0

    def checksum(self, path):
        return str(len(FILES[path]))

    def metadata(self, path):
        return FileMetadata(path, len(FILES[path]))

    def delete(self, paths):
        for path in paths:
            FILES.pop(path, None)
