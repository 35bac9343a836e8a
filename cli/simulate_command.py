"""`poso simulate`: an impression log to try things on."""

from __future__ import annotations

from pathlib import Path

import click

from cli.disk_errors import opening
from cli.options import out_option
from cli.out_folder import held_folder


@click.command("simulate")
@out_option("Folder to write, with one Parquet file per day.", required=True)
@click.option("--users", default=3200, show_default=True, help="Users who launched.")
@click.option("--days", default=10, show_default=True, help="Days of the log.")
@click.option("--seed", default=17, show_default=True, help="Same seed, same log.")
@click.option(
    "--newcomers",
    default=1.0,
    show_default=True,
    help="Share to keep of the users who first launch before the last day.",
)
@click.option(
    "--corrupt-share",
    default=0.0,
    show_default=True,
    help="Share of rows that break the contract, to see how they are rejected.",
)
def command(
    out: Path,
    users: int,
    days: int,
    seed: int,
    newcomers: float,
    corrupt_share: float,
) -> None:
    """Write a simulated impression log in the contract's format.

    An earlier simulated log in --out is replaced; a folder with other files is refused.

    New users make about 5 % of the impressions. New, regular, inactive and returning
    users behave differently (the paper's Fig. 1a). With --newcomers 0.1 new users make
    about 0.5 % of what a model trains on; users who first launch on the last day, to
    evaluate on, all stay.

    \b
    Examples:
      poso simulate --out runs/log --users 10000
      poso simulate --out runs/rare --users 50000 --newcomers 0.1
    """
    from simulator import SimulatorConfig, check_log_folder, simulate, write_log

    try:
        with opening("--out", out):
            check_log_folder(out)
        config = SimulatorConfig(
            users=users,
            days=days,
            seed=seed,
            newcomers=newcomers,
            corrupt_share=corrupt_share,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    with held_folder("--out", out):
        table = simulate(config)
        write_log(table, out)
    click.echo(f"wrote {table.num_rows:,} impressions of {days} days to {out}")
