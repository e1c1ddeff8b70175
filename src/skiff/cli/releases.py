"""``skiff releases``: list, show, promote, roll back, compare."""

from __future__ import annotations

from pathlib import Path

import click

from skiff.cli.face import Outcome, answer
from skiff.cli.options import workspace_option


@click.group("releases", short_help="List, show, promote, roll back and compare releases.")
def command() -> None:
    """List, show, promote, roll back and compare releases."""


@command.command("list")
@workspace_option
@answer("releases list")
def list_(workspace: Path) -> Outcome:
    """List the releases; the one that answers now is marked."""
    from skiff.cli.console import print_table
    from skiff.flows.releases import list_releases

    found = list_releases(workspace)

    def show() -> None:
        if not found:
            click.echo("No release yet. Make one with: skiff run FILE --target COLUMN")
            return
        rows = [
            (
                str(item.number),
                f"erased on {item.erased[:10]}" if item.erased else "answers now" if item.is_champion else "",
                item.created[:16],
                item.headline,
                f"{item.size_bytes:,}",
            )
            for item in found
        ]
        print_table(["release", "", "made (UTC)", "score", "bytes"], rows, numbers=["release", "bytes"])

    return Outcome(result=[item.as_result() for item in found], show=show)


@command.command("show")
@click.argument("number", type=click.IntRange(min=1))
@workspace_option
@answer("releases show")
def show_(number: int, workspace: Path) -> Outcome:
    """Show one release: what it takes, what was measured, and that its files are as they were written."""
    from skiff.cli.console import print_table
    from skiff.flows.releases import show_release

    found = show_release(workspace, number)
    manifest, path = found.manifest, found.path

    def show() -> None:
        click.echo(f"Release {number}, made {str(manifest['created'])[:16]} UTC, in {path}")
        click.echo(f"All files have the hashes of the manifest. {found.describe_signature()}")
        print_table(["metric", "value", "rows"], found.list_metrics(), numbers=["value", "rows"])
        print_table(["column", "kind"], [(item["name"], item["kind"]) for item in manifest["inputs"]])

    return Outcome(result={"manifest": manifest, "path": str(path), "signed_by": found.signer}, show=show)


@command.command("promote")
@click.argument("number", type=click.IntRange(min=1))
@workspace_option
@answer("releases promote")
def promote(number: int, workspace: Path) -> Outcome:
    """Let release NUMBER answer from now on; its files are checked first."""
    from skiff.flows.workspace import Workspace

    with Workspace.open(workspace) as opened:
        done = opened.promote(number)
    return Outcome(
        result={"number": done.number, "previous": done.previous},
        show=lambda: click.echo(
            f"Release {done.number} answers now" + (f" instead of {done.previous}." if done.previous else ".")
        ),
    )


@command.command("rollback")
@workspace_option
@answer("releases rollback")
def rollback(workspace: Path) -> Outcome:
    """Let the release before the present one answer again."""
    from skiff.flows.workspace import Workspace

    with Workspace.open(workspace) as opened:
        done = opened.rollback()
    return Outcome(
        result={"number": done.number, "previous": done.previous},
        show=lambda: click.echo(f"Release {done.number} answers again instead of {done.previous}."),
    )


@command.command("compare")
@click.argument("first", type=click.IntRange(min=1))
@click.argument("second", type=click.IntRange(min=1))
@workspace_option
@answer("releases compare")
def compare(first: int, second: int, workspace: Path) -> Outcome:
    """Set the numbers of two releases side by side, and test them on rows that neither was trained on.

    Writes a page among the workspace's reports (compare-FIRST-SECOND.html).
    """
    from skiff.cli.console import print_table
    from skiff.flows.comparison import compare_releases, write_comparison

    found = write_comparison(workspace, first, second, compare_releases(workspace, first, second))

    def show() -> None:
        rows = [(row.metric, row.better, row.first, row.second, row.verdict) for row in (*found.rows, *found.files)]
        print_table(["metric", "better is", f"release {first}", f"release {second}", ""], rows)
        if found.paired is not None:
            click.echo(found.paired.verdict)
        for note in found.notes:
            click.echo(note)
        click.echo(f"\nRead: {found.report}")

    return Outcome(result=found.as_result(), show=show)


@command.command("export")
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--output", "-o", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder.")
@click.option("--page", is_flag=True, help="Add a page on which the model answers in a browser, without a network.")
@workspace_option
@answer("releases export")
def export(number: int | None, output: Path, page: bool, workspace: Path) -> Outcome:
    """Copy a release (by default the one that answers now) to a folder."""
    from skiff.flows.give import give_release

    given = give_release(workspace, output, release=number, with_page=page)

    def show() -> None:
        click.echo(f"Release {given.release} is in {given.folder}: {', '.join(given.files)}")
        if page:
            click.echo(f"Open {given.folder / 'index.html'} in any browser: the model answers there, offline.")

    return Outcome(result=given.as_result(), show=show)
