import os

from serving.server.models.version_folders import fingerprint, version_folders


def test_numbered_folders_alone_are_versions(tmp_path):
    for name in ("1", "00000123", "2a", "-3", "v4", "²", str(2**63 - 1), str(2**63)):
        (tmp_path / name).mkdir()
    (tmp_path / "5").write_text("a file")
    assert version_folders(str(tmp_path)) == {
        1: str(tmp_path / "1"),
        123: str(tmp_path / "00000123"),
        2**63 - 1: str(tmp_path / str(2**63 - 1)),
    }


def test_of_two_folders_of_one_number_the_last_counts(tmp_path, caplog):
    for name in ("01", "1"):
        (tmp_path / name).mkdir()
    assert version_folders(str(tmp_path)) == {1: str(tmp_path / "1")}
    assert "both version 1" in caplog.text


def test_a_fingerprint_sees_files_come_grow_change_and_go(tmp_path):
    seen = [fingerprint(str(tmp_path))]
    file = tmp_path / "variables" / "index"
    file.parent.mkdir()
    file.write_text("a")
    seen.append(fingerprint(str(tmp_path)))
    file.write_text("ab")
    seen.append(fingerprint(str(tmp_path)))
    os.utime(file, ns=(0, 7))
    seen.append(fingerprint(str(tmp_path)))
    assert len(set(seen)) == 4
    assert fingerprint(str(tmp_path)) == seen[-1]
    file.unlink()
    assert fingerprint(str(tmp_path)) == seen[0]
