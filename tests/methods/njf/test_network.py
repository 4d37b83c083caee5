import numpy as np
import pytest
import torch
import trimesh

from repose.mesh.rests import Rests
from repose.methods.njf.network import Njf
from repose.methods.njf.wave_kernel import wave_kernel
from tests.methods import reference
from tests.methods.helpers import enliven, gradient_errors, relative, twins
from tests.worms import worm


def bodies():
    """Two identities at rest, another body in two poses and at rest, on other triangles; metres."""
    identity = np.stack([worm(t, [0, 0])[0] for t in (0.3, 0.45)])
    faces = torch.from_numpy(worm(1, [0, 0])[1]).long()
    other = trimesh.creation.icosphere(subdivisions=1)
    rest = np.asarray(other.vertices, np.float32) * np.float32([1.5, 0.4, 0.4])
    posed = np.stack([rest + np.float32([0, 1, 0]) * b * rest[:, :1] ** 2 for b in (0.1, -0.3)])
    rests = Rests(
        torch.from_numpy(identity), torch.from_numpy(rest).expand(2, -1, -1), faces,
        torch.from_numpy(np.asarray(other.faces)).long(),
    )  # fmt: skip
    return rests, torch.from_numpy(posed)


def test_parameter_count_at_the_published_widths():
    with torch.device("meta"):
        net, ours = Njf(faithful=True), Njf()
    assert sum(p.numel() for p in net.encoder.parameters()) == 323_256
    assert sum(p.numel() for p in net.parameters()) == 644_673
    assert sum(p.numel() for p in ours.parameters()) == 644_673 - 128_000


def test_at_first_nobody_moves():
    rests, posed = bodies()
    out = Njf(width=8, code=16)(rests.identity, posed, rests).vertices
    truth = rests.identity - rests.identity.mean(dim=1, keepdim=True)
    assert torch.allclose(out, truth, atol=1e-5)


@pytest.mark.parametrize("faithful", [False, True])
def test_equals_plain_formula(faithful):
    torch.manual_seed(0)
    ours, plain = twins(enliven(Njf(width=16, code=24, faithful=faithful)), torch.float64)
    rests, posed = bodies()
    rests, posed = Rests(*(x.double() if x.is_floating_point() else x for x in rests)), posed.double()
    targets = ours.templates.of(rests.identity, rests.identity_faces)
    sources = ours.templates.of(rests.pose, rests.pose_faces)
    own, seen = ours.seen(targets, rests.identity), ours.seen(sources, posed)
    given = own, seen, ours.seen(sources, rests.pose)
    assert own.shape == (2, 320, 106) and seen.shape == (2, 80, 106)
    truth = torch.randn(2, 320, 3, 3, dtype=torch.float64)
    field = ours.field(posed, rests, targets)
    assert relative(field, reference.njf_field(plain, *given)) < 1e-8
    errors = gradient_errors(
        ours,
        plain,
        lambda net: (net.field(posed, rests, targets) - truth).square().mean(),
        lambda net: (reference.njf_field(net, *given) - truth).square().mean(),
    )
    assert max(errors.values()) < 1e-8, errors


def test_what_is_seen_of_a_face():
    rests, posed = bodies()
    net = Njf(width=8, code=16)
    (template,) = net.templates.of(rests.pose[:1], rests.pose_faces)
    (seen,) = net.seen([template], posed[1:])
    mesh = trimesh.Trimesh(posed[1].numpy(), rests.pose_faces.numpy(), process=False)
    centred = (mesh.triangles_center - posed[1].numpy().mean(axis=0)) / template.scale
    assert np.allclose(seen[:, :3], centred, atol=1e-5) and np.allclose(
        seen[:, 3:6], mesh.face_normals, atol=1e-4
    )
    (at_rest,) = net.seen([template], rests.pose[:1])
    assert torch.equal(at_rest[:, 6:], seen[:, 6:]), "the signature is that of the body at rest"


@pytest.mark.parametrize("apart", [False, True])
def test_signatures_follow_the_surface_alone(apart):
    """Not its place, size and pose, nor the order of its vertices; a mesh in two parts has them, too."""
    vertices, faces = worm(0.4, [0, 0])
    if apart:
        vertices = np.concatenate([vertices, vertices * 0.8 + np.float32([0, 3, 0])])
        faces = np.concatenate([faces, faces + len(vertices) // 2])
    plain = wave_kernel(vertices, faces)
    assert plain.shape == (len(vertices), 100) and np.isfinite(plain).all() and (plain >= 0).all()
    turned = trimesh.transformations.rotation_matrix(1.0, [1, 2, 3])[:3, :3]
    order = np.random.default_rng(0).permutation(len(vertices))
    moved = wave_kernel(3 * vertices[order] @ turned.T + 5, np.argsort(order)[faces])
    if not apart:  # eigenfunctions of two bodies of one shape may mix
        assert np.abs(moved - plain[order]).max() < 0.02 * plain.max()
        bent = wave_kernel(*worm(0.4, [0.3, -0.3]))
        assert np.abs(bent - plain).mean() < 0.1 * plain.std()
