"""With all bodies known, geometry is nearly exact; the paper's own system, written plainly, agrees."""

import numpy as np
import torch

from repose.mesh.rests import Rests
from repose.methods.build import build
from repose.methods.deformation_transfer.network import DeformationTransfer, nearest_faces
from repose.methods.deformation_transfer.settings import DeformationTransferSettings
from repose.methods.settings import Told
from repose.methods.tracks import track_of
from tests.worms import worm


def bodies(thickness, bends):
    return torch.from_numpy(np.stack([worm(thickness, bend)[0] for bend in bends])).double()


FACES = torch.from_numpy(worm(1, [0, 0])[1]).long()
BENDS = [[0.9, -0.7], [-0.4, 0.6]]


def posed(rest_thickness=0.5, pose_thickness=0.3):
    rests = Rests(bodies(rest_thickness, [[0, 0]] * 2), bodies(pose_thickness, [[0, 0]] * 2), FACES, FACES)
    return DeformationTransfer(0)(rests.identity, bodies(pose_thickness, BENDS), rests).vertices


def test_a_body_takes_its_own_pose_back():
    truth = bodies(0.3, BENDS)
    out = posed(0.3, 0.3)
    assert (out - truth + truth.mean(1, keepdim=True)).abs().max() < 1e-6


def test_another_body_comes_near_to_the_truth():
    truth = bodies(0.5, BENDS)
    truth = truth - truth.mean(1, keepdim=True)
    still = bodies(0.5, [[0, 0]] * 2)
    still = still - still.mean(1, keepdim=True)
    assert (posed() - truth).square().mean() < 0.02 * (still - truth).square().mean()


def test_bodies_that_are_given_in_the_pose_of_the_identity_do_as_well():
    """Row B: what the pose body does from the identity's pose to its own, not from rest."""
    given = [[0.3, 0.4]] * 2
    truth, rests = bodies(0.5, BENDS), Rests(bodies(0.5, given), bodies(0.3, given), FACES, FACES)
    truth = truth - truth.mean(1, keepdim=True)
    out = DeformationTransfer("identity")(rests.identity, bodies(0.3, BENDS), rests).vertices
    assert (out - truth).square().mean() < 0.02 * (rests.identity - truth).square().mean()


def test_nearest_faces_are_those_of_the_same_place_whatever_their_order_and_size():
    source, target = bodies(0.3, [[0, 0]])[0].numpy(), bodies(0.5, [[0, 0]])[0].numpy() * 1.7 + 3
    order = np.random.default_rng(0).permutation(len(FACES))
    found = nearest_faces((source, FACES.numpy()[order]), (target, FACES.numpy()))
    assert (order[found] == np.arange(len(FACES))).mean() > 0.95


def test_with_nearest_faces_it_is_as_good_on_bodies_whose_places_match():
    rests = Rests(bodies(0.5, [[0, 0]] * 2), bodies(0.3, [[0, 0]] * 2), FACES, FACES)
    order = torch.from_numpy(np.random.default_rng(0).permutation(rests.pose.shape[1]))
    mixed = Rests(rests.identity, rests.pose[:, order], FACES, torch.argsort(order)[FACES])
    network = DeformationTransfer(0, "nearest")
    out = network(rests.identity, bodies(0.3, BENDS)[:, order], mixed).vertices
    told = posed()
    truth = bodies(0.5, BENDS)
    truth = truth - truth.mean(1, keepdim=True)
    assert not network.ordered
    assert (out - truth).square().mean() < 1.5 * (told - truth).square().mean()


def test_the_settings_say_what_it_is_told():
    def told(**settings):
        method = DeformationTransferSettings(architecture="deformation-transfer", **settings)
        build(method)  # which refuses a network that is told more
        return method.told

    assert told() == {Told.REST_BODIES, Told.REGISTRATION}
    assert told(rest_pose="identity") == {Told.ANSWER, Told.REGISTRATION}
    assert track_of(told(correspondence="nearest"), one_source=False) == "R"


def test_it_solves_the_system_of_the_paper():
    """Three edges of each face, the last along its normal, and one unknown vertex more for each face."""
    target, source, bent = (
        body[0].numpy() for body in (bodies(0.5, [[0, 0]]), bodies(0.3, [[0, 0]]), bodies(0.3, BENDS))
    )
    faces = FACES.numpy()
    count, more = len(target), len(faces)
    rows, right = [], []
    for number, face in enumerate(faces):
        s = frame(bent[face]) @ np.linalg.inv(frame(source[face]))
        inverse = np.linalg.inv(frame(target[face]))
        for column in range(3):
            row = np.zeros(count + more)
            row[face[0]] = -inverse[:, column].sum()
            row[face[1]], row[face[2]], row[count + number] = inverse[:, column]
            rows.append(row)
            right.append(s[:, column])
    found = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0][:count]
    found -= found.mean(0)
    ours = posed()[0].numpy()
    truth = bodies(0.5, BENDS)[0].numpy()
    truth = truth - truth.mean(0)
    # The weights of faces and the length of the normal differ.
    assert np.square(ours - found).mean() < 0.1 * np.square(found - truth).mean()


def frame(corners):
    """Two edges and the normal, over the root of its length, as columns."""
    a, b = corners[1] - corners[0], corners[2] - corners[0]
    normal = np.cross(a, b)
    return np.stack([a, b, normal / np.sqrt(np.linalg.norm(normal))], axis=1)
