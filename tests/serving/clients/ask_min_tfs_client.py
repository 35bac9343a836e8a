"""min-tfs-client, with messages and tensor code of its own: Predict by version."""

import sys

import numpy as np
from min_tfs_client.requests import TensorServingClient
from min_tfs_client.tensors import tensor_proto_to_ndarray

host, port = sys.argv[1].split(":")
client = TensorServingClient(host=host, port=int(port))
for version, offset in [(None, 20), (1, 10), (2, 20)]:
    response = client.predict_request(
        model_name="conformance",
        input_dict={"x": np.float32([[1, 2], [3, 4]])},
        model_version=version,
    )
    answer = tensor_proto_to_ndarray(response.outputs["y"])
    expected = 2 * np.float32([[1, 2], [3, 4]]) + offset
    np.testing.assert_array_equal(answer, expected)
    print(version, response.model_spec.version.value, answer.tolist())
