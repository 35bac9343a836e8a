import pytest
from click.testing import CliRunner

from cli.main import main


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_rank_refuses_what_is_no_request(tmp_path):
    file = tmp_path / "request.json"
    file.write_text('{"user": {}}')
    assert "give one of --grpc and --rest" in invoke("rank", file).output
    result = invoke("rank", file, "--grpc", "127.0.0.1:1")
    assert result.exit_code == 1
    assert "is not a rank request" in result.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "Received: an array"),
        ("null", "Received: null"),
        ("{", "is no JSON"),
        ('{"user": [1], "candidates": {}}', "'user' an array, 'candidates' an object"),
        ('{"user": null, "candidates": {}}', "'user' null"),
        ('{"user": {}, "candidates": 3}', "'candidates' a number"),
        ('{"user": {}, "candidates": {"a": [1]}}', "no 'video_id'. Received: ['a']"),
    ],
)
def test_rank_says_what_the_request_is_instead(tmp_path, text, words):
    file = tmp_path / "request.json"
    file.write_text(text)
    result = invoke("rank", file, "--grpc", "127.0.0.1:1")
    assert result.exit_code == 1
    assert words in result.output
    assert result.output.count("\n") == 1


def test_rank_says_so_when_no_server_answers(tmp_path):
    file = tmp_path / "request.json"
    file.write_text('{"user": {"user_id": "u"}, "candidates": {"video_id": ["v"]}}')
    for address in (["--grpc", "127.0.0.1:1"], ["--rest", "http://127.0.0.1:1"]):
        result = invoke("rank", file, "--timeout", 2, *address)
        assert result.exit_code == 1
        assert "Error:" in result.output
        assert "Traceback" not in result.output
