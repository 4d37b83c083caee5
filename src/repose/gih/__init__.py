"""Geodesics in heat: all-pairs geodesic distances of whole datasets, their store and its reader.

Public names: :func:`repose.gih.compute.distances`, :class:`repose.gih.convention.Settings`,
:func:`repose.gih.scale.compute_dataset`, :class:`repose.gih.reader.GihReader`.
"""
