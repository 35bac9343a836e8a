"""REST model status and metadata: model_servers/http_rest_api_{handler,util}.cc."""

import pytest

from tests.helpers.write_model import LABELS, OFFSETS


def state(version):
    return {
        "version": str(version),
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }


def test_status(rest):
    status, answer = rest.get("conformance")
    assert (status, list(answer)) == (200, ["model_version_status"])
    states = sorted(answer["model_version_status"], key=lambda entry: entry["version"])
    assert states == [state(version) for version in OFFSETS]


def test_status_of_a_version(rest):
    answer = rest.get("conformance/versions/1")
    assert answer == (200, {"model_version_status": [state(1)]})


def test_metadata(rest):
    status, answer = rest.get("conformance/metadata")
    assert status == 200
    assert set(answer) == {"model_spec", "metadata"}
    assert answer["model_spec"] == {
        "name": "conformance",
        "signature_name": "",
        "version": str(max(OFFSETS)),
    }
    several = answer["metadata"]["signature_def"]["signature_def"]["several"]
    assert several["method_name"] == "tensorflow/serving/predict"
    assert several["inputs"]["b"]["dtype"] == "DT_INT64"
    assert several["inputs"]["b"]["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}],
        "unknown_rank": False,
    }


def test_metadata_of_a_version(rest):
    _, answer = rest.get("conformance/versions/1/metadata")
    assert answer["model_spec"]["version"] == "1"


@pytest.mark.parametrize(("label", "version"), LABELS.items())
def test_metadata_by_label(rest, label, version):
    _, answer = rest.get(f"conformance/labels/{label}/metadata")
    assert answer["model_spec"]["version"] == str(version)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/models/nope", 404),
        ("GET", "/v1/models/nope/metadata", 404),
        ("GET", "/v1/models/conformance/versions/9", 404),
        ("GET", "/v1/models/conformance/versions/9/metadata", 404),
        ("GET", "/v1/models/conformance/versions/99999999999999999999", 400),
        ("GET", "/v1/models/conformance/versions/x", 400),
        ("GET", "/v1/models/conformance:predict", 400),
        ("GET", "/v1/models/conformance/weights", 400),
        ("GET", "/v1/models", 400),
        ("GET", "/v1/models/", 400),
        ("GET", "/v1/", 400),
        ("PUT", "/v1/models/conformance:predict", 400),
        ("DELETE", "/v1/models/conformance", 400),
        ("PATCH", "/v1/models/conformance/metadata", 400),
    ],
)
def test_what_is_refused(rest, method, path, status):
    # TensorFlow Serving answers no method but GET and POST: "Malformed request".
    body = None if method in ("GET", "DELETE") else {}
    received, answer = rest.call(method, path, body)
    assert (received, list(answer)) == (status, ["error"])


def test_what_is_outside_of_v1(rest):
    # RestApiRequestDispatcher: no handler; the body is the HTTP library's matter.
    for path in ("/", "/etc/passwd", "/v2/models/conformance"):
        assert rest.raw("GET", path)[0] == 404
