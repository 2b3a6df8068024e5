"""Whether models still do what they did: statistics over arrays of what was decided and what came of it."""
