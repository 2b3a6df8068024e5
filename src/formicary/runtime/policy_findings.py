"""What is wrong with a policy and its rules, before they are armed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from formicary.factory.decisions.policies import policy_findings
from formicary.factory.engine.products import Product

__all__ = ["findings_at"]


def findings_at(products: Iterable[Product]) -> Callable[[str, str, str], list[str]]:
    """Return what finds all that is wrong with a policy at the decision points of some products.

    It is given the name of a decision point, the policy and its rules, both YAML, and returns lines to read.
    """
    points = {point.name: point for product in products for point in product.decision_points}

    def find(point: str, policy: str, rules: str) -> list[str]:
        if point not in points:
            return [f"there is no decision point {point!r}, only {', '.join(sorted(points))}"]
        return policy_findings(points[point], policy, rules)

    return find
