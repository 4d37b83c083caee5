"""Small meshes, sound and broken; here and not in a test, so that workers elsewhere can import them."""

import os

import numpy as np
import trimesh


def sphere(subdivisions=2, radius=1.0, noise=0.0, seed=0):
    mesh = trimesh.creation.icosphere(subdivisions, radius)
    jitter = np.random.default_rng(seed).standard_normal(mesh.vertices.shape)
    return np.array(mesh.vertices) + noise * radius * jitter, np.array(mesh.faces, np.int32)


def torus(major=16, minor=8):
    """A little rough: the flat quads of an exact torus have two Delaunay diagonals."""
    mesh = trimesh.creation.torus(1.0, 0.4, major_sections=major, minor_sections=minor)
    jitter = np.random.default_rng(0).standard_normal(mesh.vertices.shape)
    return np.array(mesh.vertices) + 0.01 * jitter, np.array(mesh.faces, np.int32)


def grid(rows=6, cols=6, shear=0.0):
    """A flat rectangle with unit squares, each cut along one diagonal; `shear` makes needles."""
    y, x = np.mgrid[:rows, :cols].reshape(2, -1)
    i = (np.arange((rows - 1) * cols).reshape(-1, cols)[:, :-1]).ravel()
    faces = np.concatenate([np.stack([i, i + 1, i + cols + 1], 1), np.stack([i, i + cols + 1, i + cols], 1)])
    return np.stack([x + shear * y, y, 0 * x], 1).astype(float), faces.astype(np.int32)


def join(*parts):
    vertices, faces, offset = [], [], 0
    for v, f in parts:
        vertices.append(v)
        faces.append(f + offset)
        offset += len(v)
    return np.concatenate(vertices), np.concatenate(faces).astype(np.int32)


def moebius(n=12):
    a = np.arange(n) * 2 * np.pi / n
    rim = []
    for side in (-0.3, 0.3):
        r = 1 + side * np.cos(a / 2)
        rim.append(np.stack([r * np.cos(a), r * np.sin(a), side * np.sin(a / 2)], 1))
    faces = []
    for k in range(n):
        p, q = k, n + k
        r, s = (k + 1, n + k + 1) if k < n - 1 else (n, 0)
        faces += [(p, r, s), (p, s, q)]
    return np.concatenate(rim), np.array(faces, np.int32)


def scaled(factor):
    v, f = sphere(1)
    return v * factor, f


def broken():
    v, f = sphere(1)
    return v * np.nan, f


def deadly():
    os._exit(1)
