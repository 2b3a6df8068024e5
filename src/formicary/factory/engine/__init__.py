"""The step: requests in, decisions, one commit, answers out; and how it recovers."""
