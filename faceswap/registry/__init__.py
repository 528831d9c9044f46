"""Registered decoder versions: ``face-<identity>`` in MLflow's model registry.

``versions`` stores and finds them, ``loading`` loads them, ``aliases`` says which of them is in production, ``lock``
lets one process at a time change that. Together with tracking.py the only files that know MLflow.
"""

from faceswap.registry.aliases import (
    add_note,
    alias_after_training,
    at,
    drop_alias,
    exists,
    mark_stages,
    set_alias,
    tags,
)
from faceswap.registry.loading import LoadedVersion, decoder_file, encoder_file, load, load_files
from faceswap.registry.lock import Lock, locked
from faceswap.registry.stages import Stage
from faceswap.registry.versions import (
    PREFIX,
    Card,
    Listed,
    Version,
    record_metrics,
    register,
    resolve,
    tag,
    versions,
)

__all__ = [
    "PREFIX",
    "Card",
    "Listed",
    "LoadedVersion",
    "Lock",
    "Stage",
    "Version",
    "add_note",
    "alias_after_training",
    "at",
    "decoder_file",
    "drop_alias",
    "encoder_file",
    "exists",
    "load",
    "load_files",
    "locked",
    "mark_stages",
    "record_metrics",
    "register",
    "resolve",
    "set_alias",
    "tag",
    "tags",
    "versions",
]
