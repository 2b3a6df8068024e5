"""A model that learns as its journal knows it: where it stands, its versions, and what the registry is told.

What happened is told to the journal first, and the registry follows: whoever is started anew does again what
was told last, under the same keys, and what was done is answered as at first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.engine.client import EngineRefused
from formicary.factory.engine.products import Command
from formicary.factory.engine.state import Receipt
from formicary.factory.features.sources import RowSource
from formicary.factory.learning.errors import ChampionDiffers
from formicary.factory.learning.following import commands_of, is_followed
from formicary.factory.learning.messages import LearningUnexpected, StageEntered, Told
from formicary.factory.learning.reading import Learnt, learning_events, learnt
from formicary.factory.learning.scores import ByWord
from formicary.factory.learning.standing import NONE, Standing
from formicary.factory.models.model import Model
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry.reading import ModelVersion, model_bytes, model_events, versions

__all__ = ["DecisionSource", "JournaledModel", "Tell"]

Rows: TypeAlias = npt.NDArray[Any]
Words: TypeAlias = npt.NDArray[np.int64]
Tell: TypeAlias = "Callable[[str, Command, str], Receipt]"
"""Sends a product's command under a key; the same key gets the same receipt again."""

_WORD_DIGITS: Final = 16
# Somebody did the same in between, which is as well.
_AS_WANTED: Final = frozenset({"alias_unchanged", "trial_unchanged"})


class DecisionSource(RowSource, Protocol):
    """A journal whose decisions and transfers can be picked."""

    def decisions_before(self, positions: Words) -> Rows:
        """Return the decisions about the transfers at positions (n,), in order; none for some of them."""
        ...

    def decisions_between(self, *, first: int, after: int) -> Rows:
        """Return the decisions from a time on and before another, in nanoseconds, in order."""
        ...

    def transfers_at(self, positions: Words) -> Rows:
        """Return the transfers at positions (n,), in that order."""
        ...


class JournaledModel:
    """One model in a journal. For one thread at a time.

    Parameters
    ----------
    spec
        Of the model.
    source
        The journal.
    tell
        Sends commands to the engine.
    """

    def __init__(self, spec: ModelSpec, source: DecisionSource, tell: Tell) -> None:
        self._spec = spec
        self._tell = tell
        self.source = source

    # -- what is known ---------------------------------------------------------------------

    def known(self) -> Learnt:
        """Return where the model stands, and all that happened to it."""
        return learnt(learning_events(self.source), self._spec.name)

    def versions(self) -> list[ModelVersion]:
        """Return every version that was registered, the oldest first."""
        return [one for one in versions(model_events(self.source)) if one.model == self._spec.name]

    def by_word(self) -> ByWord:
        """Return what returns a registered version by the first word of its hash."""
        ours = self.versions()

        @functools.cache
        def model(word: int) -> Model | None:
            found = [one for one in ours if int(one.hash[:_WORD_DIGITS], 16) == word]
            return self._read(found[0]) if found else None

        return model

    def named(self, standing: Standing) -> tuple[Standing, dict[str, Model]]:
        """Return where the model stands as far as this release can say, and the models that this names.

        Raises
        ------
        ChampionDiffers
            The champion is of a release with other columns.
        """
        named = {standing.champion, standing.previous, standing.candidate}
        # Of other columns than are read here nothing can be said.
        ours = [one for one in self.versions() if tuple(one.columns) == self._spec.names]
        models = {one.hash: self._read(one) for one in ours if one.hash in named}
        if standing.champion not in (NONE, *models):
            raise ChampionDiffers
        if standing.previous not in models:
            standing = msgspec.structs.replace(standing, previous=NONE)
        return standing, models

    def _read(self, version: ModelVersion) -> Model:
        return Model.from_bytes(model_bytes(self.source, version), expected_hash=version.hash)

    # -- what is told ----------------------------------------------------------------------

    def followed(self) -> Learnt:
        """Do what was told last and may not have been done; return what is known then."""
        known = self.known()
        if is_followed(known):
            return known
        self.follow(known, known.latest)
        return self.known()

    def follow(self, known: Learnt, happened: Sequence[Told]) -> None:
        """Let the registry follow what happened."""
        events = [one.event for one in known.history] + list(happened)
        ours = {event.hash for event in events if isinstance(event, StageEntered)}
        for key, command in commands_of(happened, known.aliases, ours):
            self.done(REGISTRY, command, key)

    def done(self, product: str, command: Command, key: str) -> None:
        """Have a command carried out, once under a key.

        Raises
        ------
        LearningUnexpected
            It does not follow from what was told meanwhile.
        EngineRefused
            The engine did not take it.
        """
        receipt = self._tell(product, command, key)
        if receipt.code == LearningUnexpected.code:
            message = f"{type(command).__name__} of {self._spec.name}: somebody else was faster"
            raise LearningUnexpected(message)
        if receipt.code and receipt.code not in _AS_WANTED:
            message = f"{type(command).__name__} of {self._spec.name} was refused"
            raise EngineRefused(receipt.code, message)
