"""A model and the set of features that it asks: what one says of the other must be there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from formicary.base.purposes import purpose_name
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.kinds import Transfers
from formicary.factory.models.errors import ModelMalformed
from formicary.factory.models.questions import Question
from formicary.factory.models.spec import ModelSpec

__all__ = ["asked_set", "findings_of"]


def findings_of(spec: ModelSpec, sets: Sequence[FeatureSet]) -> list[str]:
    """Return all that is wrong with a model that asks one of some sets of features, or none."""
    wrong = spec.findings()
    if spec.question is not None:
        chosen = {one.name: one for one in sets}.get(spec.question.features)
        if chosen is None:
            wrong.append(f"{spec.name}: there are no features called {spec.question.features!r}")
        else:
            wrong += [f"{spec.name}: {found}" for found in _of_set(spec, spec.question, chosen)]
    return wrong


def asked_set(spec: ModelSpec, sets: Sequence[FeatureSet]) -> tuple[Question, FeatureSet]:
    """Return a model's question, and the set of features that it asks.

    Raises
    ------
    ModelMalformed
        Its rows come from no events, or something is wrong: the message has all of it.
    """
    wrong = findings_of(spec, sets)
    if wrong:
        raise ModelMalformed("; ".join(wrong))
    if spec.question is None:
        message = f"{spec.name} does not say which events its rows are: train it on a table"
        raise ModelMalformed(message)
    (chosen,) = (one for one in sets if one.name == spec.question.features)
    return spec.question, chosen


def _of_set(spec: ModelSpec, question: Question, chosen: FeatureSet) -> Iterator[str]:
    purpose, label, asking = question.purpose, question.label, chosen.on
    features = {feature.name: feature for feature in chosen.features}
    for name in spec.names:
        if name not in features:
            yield f"{chosen.name} has no feature {name!r}"
        elif purpose not in features[name].purposes:
            yield f"{name} may not be read for {purpose_name(purpose)}"
    if asking.source is None:
        yield f"{asking.name} is no event of the journal"
    if label.names and label.names not in asking.ids:
        yield f"{asking.name} has no id {label.names!r}, only {', '.join(asking.ids)}"
    if not label.names and not isinstance(asking.source, Transfers):
        yield f"{asking.name} is no transfer: say which of its ids outcomes name"
    if question.money and question.money not in asking.numbers:
        yield f"{asking.name} has no number {question.money!r}"
    if question.weight and question.weight not in {*features, *asking.numbers}:
        yield f"neither {chosen.name} nor {asking.name} has {question.weight!r}, which rows are to count by"
