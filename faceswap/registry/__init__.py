"""Registered decoder versions: ``face-<identity>`` in MLflow's model registry.

``registering`` stores them, ``versions`` finds and ``loading`` loads them, ``cards`` holds what they say of
themselves, ``aliases`` says which of them is in production, ``lock``
lets one process at a time change that. Together with tracking.py the only files that know MLflow.
"""

from faceswap.registry.cards.measured import record_metrics
from faceswap.registry.cards.version_card import Card
from faceswap.registry.fine_details import write_detail
from faceswap.registry.loading import (
    LoadedVersion,
    decoder_file,
    encoder_file,
    keras_networks,
    load,
    load_files,
)
from faceswap.registry.model_names import PREFIX, Version
from faceswap.registry.production.aliases import (
    add_note,
    alias_after_training,
    at,
    drop_alias,
    drop_all,
    exists,
    mark_stages,
    set_alias,
    tags,
)
from faceswap.registry.production.lock import Lock, locked
from faceswap.registry.production.stages import Stage
from faceswap.registry.registering import register
from faceswap.registry.versions import Listed, allowed_versions, resolve, tag, versions

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
    "allowed_versions",
    "at",
    "decoder_file",
    "drop_alias",
    "drop_all",
    "encoder_file",
    "exists",
    "keras_networks",
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
    "write_detail",
]
