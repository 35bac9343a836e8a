"""What a gRPC call that must fail answers."""

import grpc
import pytest


def code_and_message(call, request):
    with pytest.raises(grpc.RpcError) as raised:
        call(request, timeout=30)
    return raised.value.code().name, raised.value.details()
