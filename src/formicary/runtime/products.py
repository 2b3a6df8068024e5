"""Every product that a deployment runs: the factory's own first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from formicary.factory.appeals import appeals_product
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.engine.products import Product
from formicary.factory.experiments import EXPERIMENTS_PRODUCT
from formicary.factory.facts import FACTS_PRODUCT, FactsRecorded
from formicary.factory.features.compiler import compiled
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.errors import DuplicateFeature
from formicary.factory.identity import IDENTITY
from formicary.factory.learning.errors import LearningRefused
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.product import LEARNING_PRODUCT
from formicary.factory.models.judgement import Judgement
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry import registry_product
from formicary.products.credit import CREDIT
from formicary.products.lending.product import LENDING
from formicary.products.lending.underwriting.judgement import JUDGEMENTS
from formicary.products.payments import PAYMENTS
from formicary.products.payments.learning import LEARNING_PLANS
from formicary.runtime.feature_definitions import sets_in
from formicary.runtime.policy_findings import findings_at
from formicary.runtime.settings import Settings

__all__ = [
    "PRODUCTS",
    "UndecidedModel",
    "decision_points",
    "feature_sets",
    "judgements",
    "learning_plans",
    "model_specs",
    "point_of",
    "products_of",
]


class UndecidedModel(LearningRefused):
    """A model learns for a decision, and nothing is decided by what it reads."""

    code = "undecided_model"


PRODUCTS: Final[tuple[Product, ...]] = (
    *IDENTITY,
    FACTS_PRODUCT,
    appeals_product(FACTS_PRODUCT, FactsRecorded),
    registry_product(findings_at(PAYMENTS)),
    EXPERIMENTS_PRODUCT,
    LEARNING_PRODUCT,
    *PAYMENTS,
    *CREDIT,
    *LENDING,
)
"""What ``formicary up`` runs, but for a team's own definitions."""


def products_of(settings: Settings) -> tuple[Product, ...]:
    """Return what ``formicary up`` runs with these settings.

    A team's own features stand with the product of facts, which is every team's own as well.

    Raises
    ------
    FeatureRefused
        A team's definitions cannot be used: see ``sets_in`` and ``compile_sets``.
    """
    if settings.features is None:
        return PRODUCTS
    own = sets_in(settings.features)
    _require_new(own)
    facts = replace(FACTS_PRODUCT, features=(*FACTS_PRODUCT.features, *own))
    products = _beside(facts)
    # Before anything is started: an engine that could not compile them would only be started again.
    compiled(_sets_of(products))
    return products


def _beside(facts: Product) -> tuple[Product, ...]:
    """Return all products as they run beside another product of facts, and beside each other then."""
    renewed: dict[str, Product] = {}
    for product in PRODUCTS:
        # Neighbours come first.
        neighbours = tuple(renewed[one.name] for one in product.neighbours)
        if product is FACTS_PRODUCT:
            renewed[product.name] = facts
        elif all(one is other for one, other in zip(neighbours, product.neighbours, strict=True)):
            renewed[product.name] = product
        else:
            renewed[product.name] = replace(product, neighbours=neighbours)
    return tuple(renewed.values())


def feature_sets(file: Path | None) -> tuple[FeatureSet, ...]:
    """Return the products' sets of features and those that a file defines, whatever is wrong with them."""
    return (*_sets_of(PRODUCTS), *(() if file is None else sets_in(file)))


def model_specs(products: Iterable[Product]) -> dict[str, ModelSpec]:
    """Return the specifications of products' models by name."""
    return {spec.name: spec for product in products for spec in product.models}


def learning_plans() -> dict[str, LearningPlan]:
    """Return the plans of the models that learn by themselves, by the model's name."""
    return {plan.model: plan for plan in LEARNING_PLANS}


def judgements() -> tuple[Judgement, ...]:
    """Return the models that products declare for as long as they have no outcomes to learn from."""
    return JUDGEMENTS


def decision_points() -> dict[str, DecisionPoint]:
    """Return the products' decision points by name."""
    return {point.name: point for product in PRODUCTS for point in product.decision_points}


def point_of(products: Iterable[Product], spec: ModelSpec) -> DecisionPoint:
    """Return the first decision point that reads what a model reads.

    Raises
    ------
    UndecidedModel
        There is none.
    """
    wanted = None if spec.question is None else spec.question.features
    for product in products:
        for point in product.decision_points:
            if point.feature_set is not None and point.feature_set.name == wanted:
                return point
    message = f"no decision point reads what {spec.name} reads"
    raise UndecidedModel(message)


def _sets_of(products: tuple[Product, ...]) -> tuple[FeatureSet, ...]:
    return tuple(one for product in products for one in product.features)


def _require_new(sets: tuple[FeatureSet, ...]) -> None:
    owners = {one.name: product.name for product in PRODUCTS for one in product.features}
    for one in sets:
        if one.name in owners:
            message = f"the product {owners[one.name]} has a set of this name"
            raise one.error(DuplicateFeature, message)
