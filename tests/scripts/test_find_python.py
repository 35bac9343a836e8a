"""Which Python, and so which stack, `make setup` takes; the machines are stand-ins."""

import subprocess

import pytest

pytestmark = pytest.mark.e2e

PYTHON = """#!/bin/sh
# python - "VERSIONS": prints its path if it is of one of them.
for version in $2; do [ $version = {version} ] && echo "$0" && exit; done
exit 1
"""
UV = """#!/bin/sh
# uv python install VERSION; uv python find --no-project VERSION
case "$2 $3" in
install*) echo "#$3" >>{folder}/brought; cp {folder}/3.13 {folder}/uv-python ;;
find*) [ -e {folder}/uv-python ] && echo {folder}/uv-python ;;
esac
"""


@pytest.fixture
def find(tmp_path, pytestconfig):
    """Runs the script on a machine of these programs."""

    def run(*versions, glibc="2.41", system="Linux x86_64", uv=False, python=None):
        tools = {
            "uname": f'#!/bin/sh\n[ "$1" = -sm ] && echo "{system}" || '
            f'echo "{system.split()[0]}"\n',
            "getconf": f'#!/bin/sh\n[ -n "{glibc}" ] && echo "glibc {glibc}"\n',
            **{f"python{each}": PYTHON.format(version=each) for each in versions},
            "3.13": PYTHON.format(version="3.13"),
        }
        if uv:
            tools["uv"] = UV.format(folder=tmp_path)
        for name, text in tools.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        for name in ("sh", "cp"):
            (tmp_path / name).symlink_to(f"/bin/{name}")
        return subprocess.run(
            ["/bin/sh", pytestconfig.rootpath / "scripts" / "find-python"],
            env={
                "PATH": str(tmp_path),
                "HOME": str(tmp_path),
                **({"PYTHON": str(tmp_path / python)} if python else {}),
            },
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.parametrize(
    ("versions", "machine", "taken"),
    [
        (("3.10", "3.11", "3.12", "3.13"), {}, "python3.13"),
        (("3.10", "3.11"), {}, "python3.11"),
        (("3.10",), {}, "python3.10"),
        (("3.14", "3.12"), {}, "python3.12"),
        (("3.10", "3.13"), {"glibc": "2.39"}, "python3.13"),
        (("3.10", "3.13"), {"glibc": "2.36"}, "python3.10"),
        (("3.10", "3.13"), {"glibc": ""}, "python3.10"),
        (("3.10", "3.13"), {"system": "Linux aarch64"}, "python3.10"),
        (("3.10", "3.13"), {"python": "python3.10"}, "python3.10"),
        ((), {"uv": True}, "uv-python"),
        (("3.14",), {"uv": True}, "uv-python"),
    ],
)
def test_the_newest_that_fits_the_machine(find, versions, machine, taken):
    done = find(*versions, **machine)
    assert done.stderr == ""
    assert done.stdout.strip().endswith(f"/{taken}")


@pytest.mark.parametrize(
    ("versions", "machine", "said"),
    [
        ((), {}, "apt install python3-venv python3-dev g++ make"),
        (("3.9", "3.14"), {}, "no working Python 3.11 to 3.13"),
        (("3.13",), {"glibc": "2.36"}, "no glibc 2.39, so a Python 3.10 is needed"),
        ((), {"system": "Darwin arm64"}, "pip install ."),
        (("3.9",), {"python": "python3.9"}, "no working Python of version 3.13"),
        (
            ("3.10", "3.13"),
            {"glibc": "2.36", "python": "python3.13"},
            "glibc 2.39 or newer (Debian 13, Ubuntu 24.04)",
        ),
    ],
)
def test_a_machine_without_one_is_told_what_to_install(find, versions, machine, said):
    done = find(*versions, **machine)
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
