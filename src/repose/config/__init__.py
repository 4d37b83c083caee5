"""`config.yaml`: its models, and loading it with errors that name the line."""

from repose.config.load import load_files, resolve
from repose.config.models import Config

__all__ = ["Config", "load_files", "resolve"]
