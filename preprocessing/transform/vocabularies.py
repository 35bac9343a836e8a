"""Which ids have rows of their own in an embedding table, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from preprocessing.transform.config import VocabularyConfig

# What TensorFlow Transform writes where there is no id: a table needs one entry.
EMPTY_VOCABULARY = b"49d0cd50-04bb-48c0-bc6f-5b575dce351a"


def order_vocabulary(
    counts: Mapping[bytes, int],
    settings: VocabularyConfig,
    earlier: Sequence[bytes] = (),
) -> list[bytes]:
    """The ids of a vocabulary, in the order of their rows.

    Without an earlier vocabulary these are the ids, and the order, of `tft.vocabulary`:
    the most frequent first, and of equally frequent ones the last in the order of their
    bytes.

    Args:
        counts: How often each id was seen. An empty one is none, and one with a line
            break cannot be kept in a vocabulary's file.
        settings: Frequency and number of ids that are kept.
        earlier: A vocabulary that is to grow. Its ids come first, in their order,
            whether they are seen again or not, and new ones follow. Where `max_size`
            does not allow all, those seen least give way, of equals the new ones.

    Returns:
        At least one entry: `EMPTY_VOCABULARY` where there is no id.
    """
    known = [token for token in earlier if token != EMPTY_VOCABULARY]
    kept = set(known)
    new = [
        (count, token)
        for token, count in counts.items()
        if count >= settings.min_count and token not in kept and _has_line(token)
    ]
    tokens = known + [token for _, token in sorted(new, reverse=True)]
    if known and settings.max_size is not None and len(tokens) > settings.max_size:
        by_count = sorted(tokens, key=lambda token: -counts.get(token, 0))  # stable
        kept = set(by_count[: settings.max_size])
        tokens = [token for token in tokens if token in kept]
    return tokens[: settings.max_size] or [EMPTY_VOCABULARY]


def _has_line(token: bytes) -> bool:
    return bool(token) and b"\n" not in token and b"\r" not in token
