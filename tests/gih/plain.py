"""The heat method as the paper writes it, one source at a time, in plain scipy."""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla


def plain_distances(v, f, t=None):
    """Unsymmetrised (V, V) distances, row = source; extrinsic triangulation, one component."""
    n = len(v)
    edges = np.stack([v[f[:, 2]] - v[f[:, 1]], v[f[:, 0]] - v[f[:, 2]], v[f[:, 1]] - v[f[:, 0]]], 1)
    normal = np.cross(edges[:, 0], edges[:, 1])
    double = np.linalg.norm(normal, axis=1)
    unit = normal / double[:, None]
    hat = np.cross(unit[:, None], edges) / double[:, None, None]  # gradients of the hat functions
    stiffness = np.einsum("fik,fjk,f->fij", hat, hat, double / 2)
    i, j = np.repeat(f, 3, 1).ravel(), np.tile(f, 3).ravel()
    laplacian = sp.coo_array((stiffness.ravel(), (i, j)), shape=(n, n)).tocsc()
    mass = sp.diags_array(np.bincount(f.ravel(), np.repeat(double / 6, 3), n))
    t = np.linalg.norm(edges, axis=2).mean() ** 2 if t is None else t
    heat = sla.factorized((mass + t * laplacian).tocsc())
    inside = sla.factorized(laplacian[1:, 1:].tocsc())  # vertex 0 fixed at 0
    rows = np.zeros((n, n))
    for source in range(n):
        u = heat(np.eye(n)[source])
        gradient = np.einsum("fk,fkd->fd", u[f], hat)
        size = np.linalg.norm(gradient, axis=1, keepdims=True)
        field = -np.divide(gradient, size, out=np.zeros_like(gradient), where=size > 0)
        flux = np.einsum("fd,fkd->fk", field, hat) * double[:, None] / 2
        divergence = np.bincount(f.ravel(), flux.ravel(), n)
        rows[source, 1:] = inside(divergence[1:])
        rows[source] -= rows[source, source]
    return rows


def published_distances(v, f, t=0.1):
    """Symmetric (V, V) of the published code's formulas, in float64 and face by face; one component."""
    n = len(v)
    stiffness, mass = np.zeros((n, n)), np.zeros(n)
    for face in f:
        square = [np.sum((v[face[(k + 2) % 3]] - v[face[(k + 1) % 3]]) ** 2) for k in range(3)]
        area = np.linalg.norm(np.cross(v[face[1]] - v[face[0]], v[face[2]] - v[face[0]])) / 2
        mass[face] += area / 3
        for k in range(3):
            stiffness[face[(k + 1) % 3], face[(k + 2) % 3]] = (2 * square[k] - sum(square)) / (8 * area)
    stiffness += stiffness.T
    stiffness -= np.diag(stiffness.sum(1))
    heat = np.linalg.solve(np.diag(mass) + t * stiffness, np.eye(n))  # a column for each source
    flow = np.zeros((n, n))
    for face in f:
        edges = [v[face[(k + 2) % 3]] - v[face[(k + 1) % 3]] for k in range(3)]
        normal = np.cross(edges[2], -edges[1])
        double = np.linalg.norm(normal) + 1e-6
        normal = normal / double
        gradient = sum(np.outer(np.cross(normal, edges[k]), heat[face[k]]) for k in range(3)) / (2 * double)
        gradient /= np.sqrt((gradient**2).sum(0) + 1e-12)
        for k in range(3):
            flow[face[k]] += np.cross(edges[k], normal) @ gradient
    # The system is singular: a constant for each column is free, and cancels in what is returned.
    distance = np.linalg.lstsq(stiffness, flow)[0]
    diagonal = np.diag(distance)
    return (distance + distance.T - diagonal[:, None] - diagonal) / 2
