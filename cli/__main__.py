"""`python -m cli`, the same as `poso`."""

from cli.main import main

main(prog_name="poso")
