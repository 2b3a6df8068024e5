"""``formicary verify``."""

from __future__ import annotations

from dataclasses import replace

from formicary.factory.follower import Finding
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import SOUND, MemoryProgram, Terminal

FOUND = Finding(what="snapshot", position=4, message="it is another state")


def test_nothing_is_wrong(terminal: Terminal) -> None:
    """What was compared is told, and that nothing was found."""
    assert terminal.run("verify") == ExitCode.DONE
    assert "000000000000feed" in terminal.out
    assert "Nothing is wrong." in terminal.err
    document = terminal.json("verify")
    assert (document["sound"], document["rows"], document["findings"]) == (True, 5, [])


def test_findings_end_with_their_code(terminal: Terminal, program: MemoryProgram) -> None:
    """Each finding is told with its place, and the exit code says that there is one."""
    program.verification = replace(SOUND, findings=(FOUND,))
    assert terminal.run("verify") == ExitCode.FINDINGS
    assert "found (snapshot, position 4): it is another state" in terminal.err
    document = terminal.json("verify")
    assert document["findings"] == [{"what": "snapshot", "position": 4, "message": "it is another state"}]
