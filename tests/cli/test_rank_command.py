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
        (
            '{"user": {}, "candidates": {"video_id": "v"}}',
            "no array. Received: a string",
        ),
        ('{"user": {}, "candidates": {"video_id": null}}', "no array. Received: null"),
        ("\ufeff[]", "Received: an array"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_rank_says_what_the_request_is_instead(tmp_path, text, words):
    file = tmp_path / "request.json"
    file.write_text(text, encoding="utf-8")
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--user", ""], "--user is empty"),
        (["--user", "u"], "needs --candidates"),
        (["--user", "u", "--candidates", ""], "needs --candidates"),
        (["--user", "u", "--candidates", " , ,"], "needs --candidates"),
        (["--user", "u", "--candidates", "v"], "needs --state, --store or both"),
    ],
)
def test_rank_by_ids_needs_ids(arguments, words):
    result = invoke("rank", "--grpc", "127.0.0.1:1", *arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_rank_makes_no_store(tmp_path, pytestconfig):
    missing = tmp_path / "typo.sqlite"
    result = invoke(
        *("rank", "--grpc", "127.0.0.1:1", "--user", "u", "--candidates", "v"),
        *("--config", pytestconfig.rootpath / "configs" / "demo.yaml"),
        *("--store", missing),
    )
    assert result.exit_code == 1
    assert f"there is no store at --store {missing}" in result.output
    assert not missing.exists()
