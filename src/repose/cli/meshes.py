"""Commands for a user's own meshes, weights and images."""

from pathlib import Path
from typing import Annotated

import typer

from repose.cli.shared import CONFIG, RESULTS, AsJson, ConfigFile, Results, complain, plan_of
from repose.errors import ReposeError
from repose.mesh.finish import Finish

LARGEST_SEED = 2**63 - 1


def transfer(
    identity: Annotated[Path, typer.Argument(help="body to keep: .obj, .ply, .off, .glb or .stl")],
    pose: Annotated[Path, typer.Argument(help="mesh in the pose to take; any vertex count")],
    out: Annotated[Path, typer.Option("--out", "-o", help="mesh to write; the suffix chooses the format")],
    model: Annotated[
        Path,
        typer.Option(
            metavar="NAME|PATH",
            help="human or animal, whose weights come with repose; results/runs/DATASET/METHOD/seedN; or an imported "
            ".safetensors; auto: human or animal, by what the meshes are",
        ),
    ] = Path("auto"),
    up: Annotated[
        str, typer.Option(help="up axis of both: x, y, z, -x, -y, -z, or auto to find it")
    ] = "auto",
    unit: Annotated[
        str, typer.Option(help="unit of both: m, cm, mm, in, ft, metres per unit, or auto")
    ] = "auto",
    pose_up: Annotated[str | None, typer.Option(help="up axis of the pose mesh, if another")] = None,
    pose_unit: Annotated[str | None, typer.Option(help="unit of the pose mesh, if another")] = None,
    report: Annotated[Path | None, typer.Option(help="PNG to draw identity, pose and result into")] = None,
    pose_rest: Annotated[
        Path | None,
        typer.Option(help="the body of the pose mesh at rest; npr alone needs it, and identity at rest"),
    ] = None,
    finish: Annotated[
        Finish | None,
        typer.Option(
            help="bend the identity's own surface to the result: as rigid as possible, by rotations, or drawn to the "
            "surface of the pose mesh first, which gives the best bodies. Left out: icp with the weights that "
            "come with repose, none with others"
        ),
    ] = None,
) -> None:
    """Pose one mesh like another; all but positions stays as in the identity's file, also its axes and unit."""
    from repose.use.transfer.command import run
    from repose.use.transfer.files import Said

    says = Said(up, unit), Said(pose_up or up, pose_unit or unit)
    run(identity, pose, model, out, says, report, pose_rest, finish)


def animate(
    identity: Annotated[Path, typer.Argument(help="body to move: .obj, .ply, .off, .glb or .stl")],
    motion: Annotated[
        Path,
        typer.Argument(
            help="folder of meshes, animated .glb, .npz with vertices and faces, or .hdf5 of DFAUST"
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help=".glb, animated; .npz of all vertices; or a folder to make")
    ],
    model: Annotated[
        Path,
        typer.Option(
            metavar="NAME|PATH",
            help="human or animal, whose weights come with repose; a run; or an imported .safetensors; auto: human "
            "or animal, by what the meshes are",
        ),
    ] = Path("auto"),
    fps: Annotated[
        float | None, typer.Option(help="frames a second; left out: as the motion says, else 30")
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="take every 2nd, 3rd, … frame")] = 1,
    sequence: Annotated[str | None, typer.Option(help="which one of a .hdf5 of DFAUST: 50002_hips")] = None,
    up: Annotated[str, typer.Option(help="up axis of the identity: x, y, z, -x, -y, -z, or auto")] = "auto",
    unit: Annotated[str, typer.Option(help="its unit: m, cm, mm, in, ft, metres per unit, or auto")] = "auto",
    motion_up: Annotated[str, typer.Option(help="up axis of the motion")] = "auto",
    motion_unit: Annotated[str, typer.Option(help="unit of the motion")] = "auto",
    report: Annotated[Path | None, typer.Option(help="PNG to draw some frames of both into")] = None,
) -> None:
    """Move one mesh as another moves; all but positions stays as in the identity's file, textures and skin included."""
    from repose.use.animate.command import run
    from repose.use.transfer.files import Said

    says = Said(up, unit), Said(motion_up, motion_unit)
    run(identity, motion, model, out, says, fps, every, sequence, report)


def open_motion(
    recipe: Annotated[
        Path,
        typer.Argument(help="results/data/DATASET/raw.npz of a dataset of source open-human or open-animal"),
    ],
    kind: Annotated[
        str, typer.Argument(help="walk, jump, sit (animals: walk), or poses: through some of the bank")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help=".npz to write: vertices, faces, rate")],
    identity: Annotated[int, typer.Option(help="number of the body")] = 0,
    frames: Annotated[int, typer.Option(min=2, help="how many, at 30 a second")] = 60,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="choice of the poses, for kind poses")
    ] = 0,
) -> None:
    """Write a motion of an open body; the same command for another body is the truth of a transfer to that."""
    if out.suffix.lower() != ".npz":
        raise ReposeError(
            "a motion is written as .npz", out, "`repose animate` makes a .glb or meshes of one"
        )
    from repose.synthetic.motion import write_motion

    write_motion(recipe, kind, out, identity, frames, seed)


def pack_weights(
    run: Annotated[Path, typer.Argument(help="results/runs/DATASET/METHOD/seedN, of the method canonical")],
    table: Annotated[Path, typer.Option(help="a table with rows of the method: its scores go into the card")],
    out: Annotated[Path, typer.Option("--out", help=".safetensors file to write")],
) -> None:
    """Write trained weights in half precision, with a model card from the run's own history."""
    import json

    from repose.weights.pack import pack

    typer.echo(json.dumps(pack(run, table, out), indent=1))


def generate(
    run: Annotated[
        Path, typer.Option("--run", help="results/runs/DATASET/METHOD/seedN of a method that generates poses")
    ],
    out: Annotated[Path, typer.Option("--out", help="folder to make, with the meshes and sheet.png")],
    n: Annotated[int, typer.Option("--n", min=1, help="how many poses")] = 16,
    template: Annotated[
        Path | None,
        typer.Option(
            help="body at rest to pose: .obj, .ply, .off, .glb or .stl; the one learned from if left out"
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="seed; another number gives other poses")
    ] = 0,
    up: Annotated[str, typer.Option(help="up axis of the template: x, y, z, -x, -y, -z, or auto")] = "auto",
    unit: Annotated[str, typer.Option(help="its unit: m, cm, mm, in, ft, metres per unit, or auto")] = "auto",
) -> None:
    """Write meshes of new poses and a contact sheet; poses of a template keep the other content of its file."""
    from repose.use.generate import generate as write
    from repose.use.transfer.files import Said

    write(run, out, n, template, seed, Said(up, unit))


def doctor(
    meshes: Annotated[
        list[Path],
        typer.Argument(help=".obj, .ply, .off, .glb or .stl files, or names of converted datasets"),
    ],
    as_json: AsJson = False,
    results: Results = RESULTS,
) -> None:
    """Report what is unusual about meshes or datasets: up axis, unit, holes, pieces, bad faces, duplicates."""
    from repose.use.doctor import command, dataset

    status = 0
    for mesh in meshes:
        try:
            if catalog := dataset.catalog_of(str(mesh), results):
                dataset.run(catalog, as_json)
            else:
                command.run(mesh, as_json)
        except ReposeError as error:  # of this one: the others are looked at all the same
            complain(error)
            status = 1
    raise typer.Exit(status)


def import_weights(
    files: Annotated[list[Path], typer.Argument(help="all released files of one model")],
    system: Annotated[
        str, typer.Option("--from", help="npt, 3d-corenet, mapconnet, x-dualnet, npr or intrinsic-flow")
    ],
    out: Annotated[Path, typer.Option("--out", help="model.safetensors to write")],
    pooling: Annotated[
        str | None, typer.Option(help="which NPT: none is the original, max the max-pool variant")
    ] = None,
) -> None:
    """Import the published weights of a system; only tensors are read, and every key and shape is checked."""
    from repose.weights.stage import run

    run(system, files, out, pooling)


def export_images(
    dataset: str,
    out: Annotated[Path, typer.Option("--out", help="folder to make")],
    results: Results = RESULTS,
    method: Annotated[
        str | None, typer.Option(help=("write the images that this method generated for the test pairs"))
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of the method")] = 0,
) -> None:
    """Write a dataset of images and its pairs in the layout of Intrinsic Flow's archives, including .corr files.

    With --method: write the images that it generated for the test pairs, with the names that the released evaluation
    reads.
    """
    from repose.results import Results as Places
    from repose.store.image_store import ImageStore
    from repose.use.export_images import export_archive, export_generated

    where = Places(results)
    if method:
        return export_generated(where.predictions(dataset, method, seed), out)
    folder = where.split(dataset, "train").parent
    splits = sorted(folder.glob("*.parquet"))
    if not splits:
        raise ReposeError("no pairs", folder, "make the splits first")
    export_archive(ImageStore(where.packed("images", dataset)), splits, out)


def export_dataset(
    dataset: str,
    layout: Annotated[
        str,
        typer.Option(
            help="whose loader is to find them: npt, 3d-corenet, mapconnet, 3d-corenet-animal or mapconnet-animal"
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="folder to make")],
    config: ConfigFile = CONFIG,
    results: Results = RESULTS,
) -> None:
    """Write a dataset's meshes as files with the names and numbers that a published loader expects."""
    from repose.use.export_meshes import export_meshes

    plan = plan_of(config, results, dataset)
    settings, places = plan.config.datasets[dataset], plan.results
    store, triples = places.packed("meshes", dataset), places.split(dataset, "unseen")
    for line in export_meshes(settings, store, triples, layout, out):
        typer.echo(line)


COMMANDS = (
    transfer,
    animate,
    open_motion,
    generate,
    doctor,
    import_weights,
    pack_weights,
    export_images,
    export_dataset,
)
