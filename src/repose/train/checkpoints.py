"""Checkpoints that are published atomically."""

import io
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from repose.provenance.publish import publish


class PublishedCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place and renames it.

    Lightning itself writes to the temporary folder and moves the file from there. If that folder is on another disk, as
    on most clusters, the move is a copy, and a kill or a full disk leaves half a checkpoint that no retry can read.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Save a checkpoint, see `CheckpointIO.save_checkpoint`."""
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        with publish(Path(path)) as private:
            private.write_bytes(buffer.getbuffer())
