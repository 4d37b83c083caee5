"""Rotations alone, on a correspondence that the vibrations of both surfaces tell: nothing is learned."""
