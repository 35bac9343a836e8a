"""The files below a folder, those of one layout together."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from dataclasses import dataclass, field

from preprocessing.log_guess.binary_sample import parquet_names
from preprocessing.log_guess.file_content import (
    FileContent,
    file_content,
    why_not_read,
)
from preprocessing.log_guess.text_layout import TextLayout, text_layout
from preprocessing.log_guess.text_sample import first_lines
from preprocessing.storage.files import DataFile, SourceError, join, list_files
from preprocessing.storage.folder_columns import folder_values

_MOST_NAMES = 300  # kinds of names that are looked into
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F-]{22,}")
_DIGITS = re.compile(r"\d+")


@dataclass
class FileLayout:
    """Files that are written alike, so that one reader reads them all.

    Attributes:
        content: Format and compression.
        text: How text divides into cells; None of other formats.
        names: The columns; () where a text has no header.
        files: The files, sorted by name.
        patterns: Glob patterns that match them and no other file.
    """

    content: FileContent
    text: TextLayout | None
    names: tuple[str, ...]
    files: list[DataFile] = field(default_factory=list)
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True)
class FilesFound:
    """What lies below a folder.

    Attributes:
        layouts: Of files that can be read, those of most files first.
        unread: Names of other files, and why each is not read.
    """

    layouts: list[FileLayout]
    unread: dict[str, str]


def find_layouts(data_dir: str) -> FilesFound:
    """Looks into files of each kind of name.

    Names that differ in digits alone are taken for one kind, of which the first file
    with something in it is opened.

    Args:
        data_dir: Folder (or file) of the log: a path or a URI.

    Raises:
        SourceError: There is no such folder, or nothing in it.
    """
    files = _visible(data_dir)
    kinds: dict[str, list[DataFile]] = {}
    for file in files:
        kinds.setdefault(_kind_of_name(file.name), []).append(file)
    layouts: dict[object, FileLayout] = {}
    unread = {}
    for place, kind in enumerate(kinds.values()):
        if place >= _MOST_NAMES:
            unread[kind[0].name] = f"only {_MOST_NAMES} kinds of names are looked into"
            continue
        looked = _look(kind)
        if isinstance(looked, str):
            unread.update(dict.fromkeys((file.name for file in kind), looked))
            continue
        alike = (looked.content.format, looked.content.compression, looked.text)
        same = layouts.setdefault((*alike, looked.names), looked)
        same.files += kind
    for layout in layouts.values():
        layout.files.sort(key=lambda file: file.name)
        layout.patterns = _patterns(layout.files, files)
    ordered = sorted(layouts.values(), key=lambda layout: -len(layout.files))
    return FilesFound(ordered, unread)


def _visible(data_dir: str) -> list[DataFile]:
    names = list_files(data_dir)
    if names is None:
        raise SourceError(f"there is no file or folder {data_dir}")
    if names == [""]:
        return [DataFile(data_dir, posixpath.basename(data_dir.rstrip("/")))]
    hidden = (".", "_")
    visible = [n for n in names if not any(p.startswith(hidden) for p in n.split("/"))]
    if not visible:
        raise SourceError(f"there are no files in {data_dir}")
    return [DataFile(join(data_dir, name), name) for name in sorted(visible)]


def _kind_of_name(name: str) -> str:
    told = ",".join(sorted(folder_values(name)))
    base = _UUID.sub("*", posixpath.basename(name))
    return f"{told}:{_DIGITS.sub('#', base)}"


def _look(files: list[DataFile]) -> FileLayout | str:
    """The layout of files with one kind of name, or why they are not read."""
    reason = ""
    for file in files[:5]:  # some may be empty
        content = file_content(file)
        if not content.format:
            reason = why_not_read(content)
        elif content.format == "parquet":
            return FileLayout(content, None, parquet_names(file))
        elif content.format == "tfrecord":
            return FileLayout(content, None, ())
        else:
            layout = text_layout(first_lines(file, content.compression))
            if layout:
                return FileLayout(content, layout, layout.header)
            reason = (
                "its lines do not divide into columns by a tab, comma, semicolon, "
                "vertical bar or ^A"
            )
    return reason


def _patterns(files: list[DataFile], others: list[DataFile]) -> tuple[str, ...]:
    """The fewest patterns of last names that match these files alone."""
    ours = {file.name for file in files}
    foreign = {posixpath.basename(f.name) for f in others if f.name not in ours}
    bases = sorted({posixpath.basename(name) for name in ours})
    endings = sorted({_ending(base) for base in bases})
    if len(endings) == 1 and endings[0]:
        pattern = f"*{endings[0]}"
        if not any(fnmatch.fnmatch(name.lower(), pattern.lower()) for name in foreign):
            return (pattern,)
    masks = {
        _DIGITS.sub("*", _UUID.sub("*", base)) if len(bases) > 1 else base
        for base in bases
    }
    fits = not any(
        fnmatch.fnmatch(n.lower(), m.lower()) for n in foreign for m in masks
    )
    return tuple(sorted(masks)) if fits else tuple(bases)


def _ending(name: str) -> str:
    """What follows the first dot: such as .csv.gz."""
    match = re.search(r"\.[A-Za-z][\w.]*$", name)
    return match.group() if match else ""
