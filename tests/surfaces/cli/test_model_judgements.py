"""``formicary models judge``."""

from __future__ import annotations

from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import Terminal


def test_judge(terminal: Terminal) -> None:
    """The hash, that of the declaration, and that no data stand behind it."""
    assert terminal.run("models", "judge", "merchant_default") == ExitCode.DONE
    for told in ("merchant_default is a judgement", "feed", "beef"):
        assert told in terminal.out
    said = terminal.err.replace("\n", " ")
    assert "No data stand behind its chances" in said
    assert "feed.model" in said
    document = terminal.json("models", "judge", "merchant_default", "--out", "first.model")
    assert (document["file"], document["manifest"]) == ("first.model", "first.json")
    assert document["trained_on"]["rows"] == 0
