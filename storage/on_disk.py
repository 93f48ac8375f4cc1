"""What must survive a power cut: a file, or a new name in a folder, is safe once it is on the disk."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Return once this file, or this folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
