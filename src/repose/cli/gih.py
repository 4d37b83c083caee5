"""``repose gih``: compute, query, inspect and import stores of geodesic distances."""

from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from repose.cli.shared import CONFIG, RESULTS, ConfigFile, Results, plan_of
from repose.cluster import Cluster
from repose.errors import ReposeError
from repose.gih import import_pickles, stage, store
from repose.gih.convention import Settings
from repose.gih.paint import paint
from repose.gih.reader import GihReader
from repose.gih.scale import MeshSource, compute_dataset
from repose.mesh.formats.io import read_mesh

app = typer.Typer(help="Geodesic distances between all vertices of meshes.", no_args_is_help=True)

StorePath = Annotated[Path, typer.Argument(help="The store, a .zarr folder.")]


def load(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return vertices and faces of a mesh file; a source for :func:`repose.gih.scale.compute_dataset`."""
    mesh = read_mesh(path)
    return mesh.vertices, mesh.faces


def sources(paths: list[Path]) -> dict[str, MeshSource]:
    """Name each mesh file by its stem.

    Raises:
        ReposeError: two files have the same name.
    """
    named: dict[str, MeshSource] = {}
    for path in paths:
        if path.stem in named:
            raise ReposeError(f"two meshes are named {path.stem!r}", path, "names come from file names")
        named[path.stem] = partial(load, path)
    return named


@app.command()
def compute(
    meshes: Annotated[list[Path], typer.Argument(help="Mesh files; their stems become the names.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The store to make or add to.")],
    convention: Annotated[
        str, typer.Option(help="metres, or released: what the published code computes.")
    ] = "metres",
    t: Annotated[float | None, typer.Option(help="Heat flow time, square metres; default h².")] = None,
    backend: Annotated[str, typer.Option(help="auto, cpu, cuda or potpourri3d.")] = "auto",
    workers: Annotated[int, typer.Option(help="Meshes at a time.")] = 1,
    scheduler: Annotated[
        str, typer.Option(help="threads, processes, slurm, or tcp://HOST:PORT of Dask.")
    ] = "threads",
    memory: Annotated[str, typer.Option(help="Limit of each worker, unless they are threads.")] = "2GiB",
    prune: Annotated[bool, typer.Option(help="Drop meshes from the store that are not listed.")] = False,
) -> None:
    """Compute the distances of meshes that the store lacks."""
    settings = Settings(convention, t)  # type: ignore[arg-type]  # checked there
    summary = compute_dataset(
        sources(meshes),
        output,
        settings,
        backend=backend,  # type: ignore[arg-type]
        cluster=Cluster(workers, scheduler, memory),
    )
    if prune:
        store.keep_only(output, settings, summary.keys)
    typer.echo(f"{output}: {summary.computed} computed, {summary.reused} up to date, {summary.seconds:.1f} s")
    for name, reason in summary.fallbacks.items():
        typer.echo(f"{name}: computed by potpourri3d, because {reason}")


@app.command()
def query(
    path: StorePath,
    mesh: Annotated[str, typer.Option(help="A mesh file (to draw on) or a name in the store.")],
    source: Annotated[int, typer.Option("--from", help="Vertex to measure from.")],
    to: Annotated[int | None, typer.Option(help="Print the distance to this vertex only.")] = None,
    png: Annotated[Path | None, typer.Option(help="Paint the distances on the body.")] = None,
) -> None:
    """Print the distances from one vertex: a line of statistics, one number, or an image."""
    file = Path(mesh)
    name = file.stem if file.suffix else mesh
    reader = GihReader(path)
    row = reader.row(name, source)
    metres = row / np.float32(reader.info(name).settings.factor)
    if to is not None:
        typer.echo(f"{reader.block(name, [source], [to])[0, 0] / reader.info(name).settings.factor:.6f} m")
    else:
        finite = metres[np.isfinite(metres)]
        apart = len(metres) - len(finite)
        typer.echo(
            f"{name} from vertex {source}: mean {finite.mean():.4f} m, farthest {finite.max():.4f} m (vertex "
            f"{int(np.where(np.isfinite(metres), metres, -1).argmax())})"
            + (f", {apart} vertices in other components" if apart else "")
        )
    if png:
        if not file.is_file():
            raise ReposeError("a picture needs the mesh file", mesh, "give --mesh PATH.obj")
        vertices, faces = load(file)
        if len(vertices) != len(metres):
            raise ReposeError(f"the file has {len(vertices)} vertices, the store {len(metres)}", file)
        paint(png, vertices, faces, metres, source, f"{name}: geodesic distance from vertex {source}")
        typer.echo(str(png))


@app.command()
def info(
    path: StorePath,
    verify: Annotated[bool, typer.Option(help="Read and check every byte.")] = False,
) -> None:
    """List the content of a store, mesh by mesh."""
    reader = GihReader(path)
    for name in reader.meshes:
        about = reader.info(name)
        if verify:
            reader.verify(name)
        size = sum(f.stat().st_size for f in (path / about.key).rglob("*") if f.is_file()) / 1e6
        note = f" ({about.note})" if about.note else ""
        typer.echo(
            f"{name}: {about.vertices} vertices, {about.components} component(s), {size:.2f} MB, "
            f"{about.settings.convention}, t {about.t:.4g} m², error <= {500 * about.scale:.3g} mm, "
            f"{about.method} on {about.backend}{note}"
        )
    typer.echo(
        f"{path}: {len(reader.meshes)} meshes" + (", all bytes match their checksums" if verify else "")
    )


@app.command()
def part(
    dataset: Annotated[str, typer.Argument(help="Name in the config.")],
    number: Annotated[int, typer.Argument(help="Which part, from 0.")],
    lost: Annotated[str, typer.Option(help="What the workflow found missing; it is recorded.")] = "",
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
) -> None:
    """Compute one part of a dataset; the workflow calls it."""
    plan = plan_of(config, results, dataset)
    need, root = plan.gih_part(dataset, number), plan.results.gih(dataset)
    stage.part(plan.config.gih, number, need.inputs["store"], root, need.out, lost)


@app.command()
def gather(
    dataset: Annotated[str, typer.Argument(help="Name in the config.")],
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
) -> None:
    """Make one checked store from all parts; the workflow calls it."""
    plan = plan_of(config, results, dataset)
    need = plan.gih(dataset)
    stage.gather(plan.config.gih, list(need.inputs.values()), need.out)


@app.command("import")
def import_(
    pickles: Annotated[Path, typer.Argument(help="Folder of published *.pkl matrices.")],
    meshes: Annotated[Path, typer.Option(help="Folder of their meshes, same stems.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The store to make or add to.")],
    checked: Annotated[int, typer.Option(help="How many to compare with a recomputation.")] = 3,
) -> None:
    """Import published pickles, in metres, without running them."""
    files = {p.stem: p for p in pickles.glob("*.pkl")}
    if not files:
        raise ReposeError("no .pkl files", pickles)
    geometry = sources([p for p in sorted(meshes.iterdir()) if p.suffix in (".obj", ".ply", ".off")])
    differences = import_pickles.import_pickles(files, geometry, output, checked)
    for name, difference in differences.items():
        typer.echo(f"{name}: differs from a recomputation by {difference:.2%} on average")
    typer.echo(f"{output}: {len(files)} matrices imported")
