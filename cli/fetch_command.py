"""`poso fetch`: rows of a database as a log."""

from __future__ import annotations

from pathlib import Path

import click

from cli.options import out_option


@click.command("fetch")
@click.option(
    "--driver",
    type=click.Choice(["postgresql", "sqlite"]),
    default="postgresql",
    show_default=True,
    help="Which database it is.",
)
@click.option(
    "--uri",
    required=True,
    help="The database: postgresql://user@host/name, or the file of SQLite.",
)
@click.option("--query", required=True, help="One statement of SQL that gives rows.")
@out_option("Folder for the file rows.parquet.", required=True)
def command(driver: str, uri: str, query: str, out: Path) -> None:
    """Write the rows of a query to Parquet, as a log for the other commands.

    A log has to be the same whenever it is read, so a run does not read a database
    itself. Fetch the rows of a day into a folder of that day; source.columns says what
    its columns are. A password is best left to the database's client: of PostgreSQL
    PGPASSWORD or a file .pgpass.

    \b
    Example:
      poso fetch --uri postgresql://reader@db/feed --out log/day=2022-05-01 \\
        --query "select * from impressions where day = '2022-05-01'"
      poso run --config my.yaml --data log
    """
    from preprocessing.storage.database_rows import (
        ROWS_FILE,
        DatabaseError,
        write_query,
    )

    try:
        rows = write_query(driver, uri, query, out)
    except (DatabaseError, FileExistsError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{rows:,} rows in {out / ROWS_FILE}")
