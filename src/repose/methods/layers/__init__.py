"""Layers that several systems share. Tensors are (B, N, C): batch, vertices, channels."""
