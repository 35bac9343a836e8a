import pytest

from serving.protocol.errors import InvalidArgument
from serving.server.rest_api.request import parse_request


def test_a_byte_order_mark_is_skipped():
    # rapidjson's EncodedInputStream does: json_tensor.cc. Editors of Windows write it.
    assert parse_request(b'\xef\xbb\xbf{"inputs": 1}').fields == {"inputs": 1}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" ", "Expecting value"),
        (b"null", "not object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 50_000, "nested too deeply"),
        (b'{"inputs": "\xff"}', "utf-8"),
        ('{"inputs": 1}'.encode("utf-16"), "utf-8"),
        (b'{"inputs": 1} x', "Extra data"),
        (b'{"inputs": 1e400}', "too big"),
        (b'{"signature_name": null}', "signature_name"),
        # rapidjson takes the first, Python the last.
        (b'{"inputs": 1, "inputs": 2}', "'inputs' stands twice"),
        (b'{"inputs": {"avc": [1], "b": 1, "avc": [2]}}', "'avc' stands twice"),
    ],
)
def test_what_is_no_request_is_told(body, words):
    with pytest.raises(InvalidArgument, match=words) as raised:
        parse_request(body)
    assert "\n" not in raised.value.message


def test_a_key_that_stands_twice_among_many_is_found_at_once():
    members = ", ".join(f'"k{n % 199_999}": 1' for n in range(200_000))
    with pytest.raises(InvalidArgument, match="'k0' stands twice"):
        parse_request(f"{{{members}}}".encode())
