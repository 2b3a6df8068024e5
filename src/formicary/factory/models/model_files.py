"""A model as files: its bytes, and beside them what it was made of, for whoever registers or judges it.

::

    <folder>/<hash>.model     ``Model.to_bytes``
    <folder>/<hash>.json      ``ModelManifest``
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from formicary.base.errors import OperationalFault
from formicary.factory.features.checked_files import write_whole
from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.models.model import Model
from formicary.factory.models.model_manifest import ModelManifest, manifest_file

__all__ = ["ModelNotWritten", "read_model", "write_model"]


class ModelNotWritten(OperationalFault):
    """The file of a model that was trained cannot be written."""


def write_model(file: Path, model: Model, manifest: ModelManifest) -> None:
    """Write a model and its manifest durably, the model first: a manifest never speaks of what is not there.

    Raises
    ------
    ModelNotWritten
        The disk or the folder does not let us.
    """
    beside = manifest_file(file)
    try:
        write_whole(file.parent, file.name, model.to_bytes())
        write_whole(beside.parent, beside.name, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror}"
        raise ModelNotWritten(message) from error


def read_model(file: Path) -> tuple[Model, ModelManifest]:
    """Return a model and its manifest.

    Raises
    ------
    ModelCorrupt
        A file is missing or no such file, or the model is another than its manifest says.
    """
    try:
        manifest = msgspec.json.decode(manifest_file(file).read_bytes(), type=ModelManifest)
        stored = file.read_bytes()
    except (OSError, msgspec.DecodeError) as error:
        message = f"{file}, or the manifest beside it, cannot be read: {error}"
        raise ModelCorrupt(message) from error
    return Model.from_bytes(stored, expected_hash=manifest.hash), manifest
