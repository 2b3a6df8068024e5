"""Decisions: rules, scores and limits become one outcome, with its reasons."""
