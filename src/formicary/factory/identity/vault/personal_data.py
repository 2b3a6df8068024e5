"""The form of a party's personal data: short texts by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from formicary.base.errors import Refusal
from formicary.base.limits import (
    PERSONAL_DATA_BYTES_MAX,
    PERSONAL_FIELD_CHARACTERS_MAX,
    PERSONAL_FIELDS_MAX,
)

__all__ = ["PersonalDataMalformed", "pack_fields", "unpack_fields"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_DECODER: Final = msgspec.json.Decoder(dict[str, str])


class PersonalDataMalformed(Refusal):
    """Personal data are a few short texts under names in snake case."""

    code = "personal_data_malformed"


def pack_fields(fields: Mapping[str, str]) -> bytes:
    """Return personal data as bytes to encrypt.

    Raises
    ------
    PersonalDataMalformed
        There are too many, a name is none, or a text is too long or no Unicode.
    """
    well_formed = len(fields) <= PERSONAL_FIELDS_MAX and all(
        _NAME.fullmatch(name) and len(text) <= PERSONAL_FIELD_CHARACTERS_MAX for name, text in fields.items()
    )
    if not well_formed:
        raise PersonalDataMalformed
    try:
        packed = msgspec.json.encode(dict(fields), order="sorted")
    except UnicodeEncodeError:
        # That error holds the text, which belongs into no log.
        raise PersonalDataMalformed from None
    if len(packed) > PERSONAL_DATA_BYTES_MAX:
        raise PersonalDataMalformed
    return packed


def unpack_fields(packed: bytes) -> dict[str, str]:
    """Return personal data as they were packed."""
    return _DECODER.decode(packed)
