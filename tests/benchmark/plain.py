"""The metrics of version 1 once more, in plain Python: slow, and easy to read beside docs/benchmark.md."""

import math
from itertools import combinations

import numpy as np


def minus(a, b):
    return [x - y for x, y in zip(a, b, strict=True)]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def length(a):
    return math.sqrt(dot(a, a))


def normal(mesh, face):
    a, b, c = (mesh[k] for k in face)
    return cross(minus(b, a), minus(c, a))


def weights(mesh, faces):
    found = [0.0] * len(mesh)
    for face in faces:
        for k in face:
            found[k] += length(normal(mesh, face)) / 6
    return found


def about_mean(mesh, areas):
    mean = [sum(w * v[k] for w, v in zip(areas, mesh, strict=True)) / sum(areas) for k in range(3)]
    return [minus(v, mean) for v in mesh]


def about_box(mesh):
    middle = [(min(v[k] for v in mesh) + max(v[k] for v in mesh)) / 2 for k in range(3)]
    return [minus(v, middle) for v in mesh]


def distances(out, true, areas):
    pairs = zip(about_mean(out, areas), about_mean(true, areas), strict=True)
    return [length(minus(a, b)) for a, b in pairs]


def mean(values, areas):
    return sum(w * v for w, v in zip(areas, values, strict=True)) / sum(areas)


def rigid(out, true, areas):
    """The best rotation as the quaternion of Horn (1987), which has no reflections."""
    a, b = about_mean(out, areas), about_mean(true, areas)
    s = [
        [sum(w * p[i] * q[j] for w, p, q in zip(areas, a, b, strict=True)) for j in range(3)]
        for i in range(3)
    ]
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = s
    matrix = [
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, -xx + yy - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, -xx - yy + zz],
    ]
    w, x, y, z = np.linalg.eigh(np.array(matrix))[1][:, -1].tolist()
    turn = [
        [w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z],
    ]
    return [length(minus([dot(row, p) for row in turn], q)) for p, q in zip(a, b, strict=True)]


def edges(faces):
    return sorted({tuple(sorted(pair)) for face in faces for pair in combinations(face, 2)})


def edge_error(out, other, faces):
    ratios = [length(minus(out[a], out[b])) / length(minus(other[a], other[b])) for a, b in edges(faces)]
    return sum(abs(ratio - 1) for ratio in ratios) / len(ratios)


def volume(mesh, faces):
    return sum(dot(mesh[a], cross(mesh[b], mesh[c])) for a, b, c in faces) / 6


def angle(a, b):
    if not length(a) or not length(b):
        return 90.0
    return math.degrees(math.acos(max(-1.0, min(1.0, dot(a, b) / length(a) / length(b)))))


def passes(p, q, triangle):
    """Whether the inside of a segment goes through the inside of a triangle."""
    a, b, c = triangle
    n = cross(minus(b, a), minus(c, a))
    before, behind = dot(n, minus(p, a)), dot(n, minus(q, a))
    if before * behind >= 0:
        return False
    t = before / (before - behind)
    x = [u + t * (v - u) for u, v in zip(p, q, strict=True)]
    sides = [dot(n, cross(minus(v, u), minus(x, u))) for u, v in ((a, b), (b, c), (c, a))]
    return min(sides) > 0


def pierced(mesh, faces):
    found = set()
    for i, j in combinations(range(len(faces)), 2):
        if set(faces[i]) & set(faces[j]):
            continue
        for one, other in ((i, j), (j, i)):
            corners = [mesh[k] for k in faces[one]]
            ends = ((corners[k], corners[(k + 1) % 3]) for k in range(3))
            if any(passes(p, q, [mesh[k] for k in faces[other]]) for p, q in ends):
                found |= {i, j}
    return found


def nearest(mesh, other):
    return sum(min(dot(minus(a, b), minus(a, b)) for b in other) for a in mesh) / len(mesh)


def metrics(out, true, identity, faces, failed=False):
    """By name."""
    areas = weights(true, faces)
    off = distances(out, true, areas)
    boxes = list(zip(about_box(out), about_box(true), strict=True))
    rising = sorted(zip(off, areas, strict=True))
    reached, p95 = 0.0, None
    for value, area in rising:
        reached += area
        if p95 is None and reached >= 0.95 * sum(areas) - 1e-12:
            p95 = value
    sizes = [length(normal(true, face)) for face in faces]
    angles = [angle(normal(out, face), normal(true, face)) for face in faces]
    closed = all(
        sum((a, b) in ((f[0], f[1]), (f[1], f[2]), (f[2], f[0])) for f in faces) == 1
        for face in faces
        for a, b in ((face[1], face[0]), (face[2], face[1]), (face[0], face[2]))
    )
    found = {
        "mpve_mm": 1000 * mean(off, areas),
        "pmd_m2": sum(dot(minus(a, b), minus(a, b)) for a, b in boxes) / 3 / len(out),
        "mpve_rigid_mm": 1000 * mean(rigid(out, true, areas), areas),
        "p95_mm": 1000 * p95,
        "edge_error_truth": edge_error(out, true, faces),
        "edge_error_identity": edge_error(out, identity, faces),
        "normal_deg": mean(angles, sizes),
        "new_self_intersections": len(pierced(out, faces) - pierced(true, faces)) / len(faces),
        "fail_share": float(failed),
        "cd_m2": nearest(about_box(out), about_box(true)) + nearest(about_box(true), about_box(out)),
    }
    return found | ({"volume_ratio": volume(out, faces) / volume(true, faces)} if closed else {})
