"""`poso train-worker`: a member of a training's cluster, beside its chief."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pipeline.training.cluster.membership import Member


@click.command("train-worker")
@click.option(
    "--pipeline-root",
    default="",
    metavar="FOLDER",
    help="The pipeline/ folder of the chief's --out, which this machine shares with "
    "the chief's. Not needed with parameter servers.",
)
@click.option("--chief", metavar="HOST:PORT", help="The chief's address.")
@click.option(
    "--worker", "workers", multiple=True, metavar="HOST:PORT", help="May be repeated."
)
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="HOST:PORT",
    help="A parameter server's address; may be repeated.",
)
@click.option(
    "--task",
    metavar="TASK:INDEX",
    help="Which of them this is: worker:0, or ps:0 for the first server.  [default: "
    "the cluster and the task in TF_CONFIG]",
)
@click.option(
    "--wait-minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=30.0,
    show_default=True,
    help="How long without a training before it ends.",
)
def command(
    pipeline_root: str,
    chief: str | None,
    workers: tuple[str, ...],
    servers: tuple[str, ...],
    task: str | None,
    wait_minutes: float,
) -> None:
    """Take part in trainings that `poso run` leads on another machine.

    The chief is `poso run` with training.strategy.kind=multi_worker or
    parameter_server, and the same cluster in its TF_CONFIG. A worker takes part in
    every training of its run, also of one that is started again after a stop.

    \b
    Examples:
      poso train-worker --pipeline-root /mnt/runs/kuairand/pipeline \\
        --chief a:2222 --worker b:2222 --task worker:0
      TF_CONFIG=... poso train-worker
    """
    from pipeline.training.cluster.member_process import MemberError
    from pipeline.training.cluster.membership import ClusterError
    from pipeline.training.cluster.standing_member import StandingMember

    try:
        member = _member(chief, workers, servers, task)
        if not member.has_servers and not pipeline_root:
            raise ClusterError("give --pipeline-root: a worker reads the data itself")
        if member.is_chief:
            raise ClusterError("the chief is `poso run` itself; give another task")
    except ClusterError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{member}: waiting for a training of {member.chief_address}")
    try:
        StandingMember(member, pipeline_root, 60 * wait_minutes, click.echo).run()
    except MemberError as error:
        raise click.ClickException(str(error)) from error


def _member(
    chief: str | None,
    workers: tuple[str, ...],
    servers: tuple[str, ...],
    task: str | None,
) -> Member:
    from pipeline.training.cluster.membership import ClusterError, Member

    if not task:
        if chief or workers or servers:
            raise ClusterError("give --task, which says which of the cluster this is")
        return Member.from_environment()
    if not chief:
        raise ClusterError("give --chief, the address of the machine of `poso run`")
    name, _, index = task.partition(":")
    if not index.isdecimal():
        raise ClusterError(f"--task must be like worker:0. Received: {task}")
    cluster = {"chief": (chief,), "worker": workers, "ps": servers}
    return Member({k: v for k, v in cluster.items() if v}, name, int(index))
