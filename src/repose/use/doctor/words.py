"""Facts as sentences: what is unusual about a mesh, and what that means for pose transfer."""

from collections.abc import Iterator

from repose.mesh.frame import ADULT
from repose.use.doctor.facts import Facts

FEW, MANY = 500, 60_000  # vertices; the published systems are trained on 6,890 and tested up to 27,554
FOLDS = 0.055  # share of faces that intersect others, which is normal at the joints of a posed body
FAR = 10  # distance from the origin, in sizes of the body


def findings(facts: Facts) -> list[str]:
    """Return a sentence for everything that is unusual; empty for a sound body with y up, in metres."""
    return [*_frame(facts), *_surface(facts), *_defects(facts)]


def _frame(f: Facts) -> Iterator[str]:
    if f.up.value != "y" or f.up.trust == "a guess":
        turned = "" if f.up.value == "y" else "; repose works y up and turns it"
        yield f"its up axis seems to be {f.up.value} ({f.up.trust}: {f.up.why}){turned}"
    if f.unit is None:
        yield (
            f"its longest side is {f.longest_side:.4g}, which makes no body in metres, centimetres or millimetres:"
            " its unit must be said (--unit)"
        )
    elif f.unit.value != "m":
        yield f"its unit seems to be {f.unit.value} ({f.unit.why}); repose works in metres and converts it"
    if f.height_m is not None and not ADULT[0] <= f.height_m <= ADULT[1]:
        yield f"it is {f.height_m:.2f} m tall: a child, an animal, a crouching or lying body, or another unit"
    if f.centre_offset > FAR * f.longest_side:
        times = f.centre_offset / f.longest_side
        yield f"it is {times:.0f} times its size away from the origin, which costs digits in float32"


def _surface(f: Facts) -> Iterator[str]:
    if f.vertices < FEW:
        yield f"it has only {f.vertices:,} vertices: too coarse for hands and faces"
    if f.vertices > MANY:
        yield f"it has {f.vertices:,} vertices: time of a transfer can grow with their square; decimate it"
    if f.boundary_edges:
        yield f"it is not watertight: {_count(f.holes, 'hole')} with {_count(f.boundary_edges, 'open edge')}"
    if f.non_manifold_edges:
        yield f"{_count(f.non_manifold_edges, 'edge')} with more than two faces: the surface is no manifold there"
    elif not f.manifold:
        yield "the faces around a vertex form more than one fan: the surface is no manifold there"
    if f.flipped_edges:
        yield f"neighbouring faces disagree about their outside at {_count(f.flipped_edges, 'edge')}"
    elif f.orientation == "inward":
        yield "its faces point inwards: it is inside out"
    if f.components > 1:
        yield (
            f"it is in {f.components:,} pieces, the largest with {_share(f.largest_component)} of the faces"
            " (eyes, teeth, clothes, or seams): each piece moves, but nothing holds them together"
        )


def _defects(f: Facts) -> Iterator[str]:
    if f.degenerate_faces:
        yield f"{_count(f.degenerate_faces, 'face')} without an area"
    if f.duplicate_faces:
        yield f"{_count(f.duplicate_faces, 'face')} with the same corners as another"
    if f.duplicate_vertices:
        number = _count(f.duplicate_vertices, "vertex")
        yield f"{number} exactly where another is: seams of a texture, or an unwelded export; a transfer joins them"
    if f.unreferenced_vertices:
        yield f"{_count(f.unreferenced_vertices, 'vertex')} in no face: a transfer leaves them where they are"
    if f.self_intersections > FOLDS * f.faces:
        share = f.self_intersections / f.faces
        yield f"{_count(f.self_intersections, 'face')} ({share:.0%}) run through others; folds at joints are fewer"


def _share(part: float) -> str:
    """Less than 1 in per cent, which is neither 0 % nor 100 %."""
    if not 0.001 <= part <= 0.999:
        return "less than 0.1%" if part < 0.5 else "more than 99.9%"
    return f"{part:.0%}" if 0.005 < part < 0.995 else f"{part:.1%}"


def _count(number: int, noun: str) -> str:
    plural = "vertices" if noun == "vertex" else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
