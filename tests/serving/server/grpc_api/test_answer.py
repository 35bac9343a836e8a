"""Messages of errors, which travel percent-encoded in a header."""

import asyncio
from urllib.parse import quote

import grpc
import pytest

from serving.protocol.errors import InvalidArgument
from serving.server.grpc_api.answer import abort


def told(message: str) -> str:
    class Context:
        async def abort(self, code, details):
            assert code is grpc.StatusCode.INVALID_ARGUMENT
            self.details = details

    context = Context()
    asyncio.run(abort(context, InvalidArgument(message)))
    return context.details


@pytest.mark.parametrize("message", ["", "short", "x" * 4096, "é" * 600])
def test_a_message_that_fits_is_told_whole(message):
    assert told(message) == message


@pytest.mark.parametrize("letter", ["x", "%", "é", "漢", "😀", "\n"])
def test_a_longer_one_is_cut_where_its_header_is_full(letter):
    cut = told(letter * 5000)
    assert cut[-1] == "…"
    assert set(cut[:-1]) == {letter}
    encoded = len(quote(cut, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"))
    assert 4000 < encoded < 4200
