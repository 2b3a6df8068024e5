"""The follower: folds the journal behind the engine; snapshots, entry index, verification, standby."""

from formicary.factory.follower.follower import Follower, Pace
from formicary.factory.follower.process import follow
from formicary.factory.follower.standby import promote
from formicary.factory.follower.state_snapshots import Restored, StateSnapshots, new_state
from formicary.factory.follower.verification import Finding, Verification, verify

__all__ = [
    "Finding",
    "Follower",
    "Pace",
    "Restored",
    "StateSnapshots",
    "Verification",
    "follow",
    "new_state",
    "promote",
    "verify",
]
