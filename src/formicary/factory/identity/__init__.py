"""Who takes part: parties, their consent, devices and credentials, approvals by two persons, the vault.

``IDENTITY`` are the products of the factory's own that a running engine has beside the others.
"""

from __future__ import annotations

from typing import Final

from formicary.base.scopes import Scope
from formicary.factory.engine.products import Product
from formicary.factory.identity.approval import APPROVAL_PRODUCT
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.credential import CREDENTIAL_PRODUCT
from formicary.factory.identity.device import DEVICE_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT

__all__ = ["IDENTITY", "Scope"]

IDENTITY: Final[tuple[Product, ...]] = (
    PARTY_PRODUCT,
    CONSENT_PRODUCT,
    DEVICE_PRODUCT,
    CREDENTIAL_PRODUCT,
    APPROVAL_PRODUCT,
)
