"""The load during kills: a caller in a thread that sends every request until it knows the outcome."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from formicary.factory.engine.client import EngineClient, EngineRefused, EngineUnreachable, OutcomeUnknown
from formicary.factory.ledger import Account, AccountFlags, CreateTransferStatus, Transfer
from proofs.kill.load import Load

__all__ = ["Caller", "Ledgered", "check_acknowledged"]

_LEDGER: Final = 826
_ACCOUNTS: Final = 50
_FUNDER: Final = 1
_RETRY_SECONDS: Final = 0.005
_TIMEOUT_SECONDS: Final = 5.0
_CHECKED_AT_A_TIME: Final = 4_000


@dataclass
class Ledgered:
    """What the caller was told: the transfers that were created, and when by the ledger's clock."""

    acknowledged: dict[int, tuple[int, Transfer]] = field(default_factory=dict)
    changed_answers: int = 0


class Caller:
    """Sends small batches one after the other; an unknown outcome is asked for again with the same ids."""

    def __init__(self, path: Path, *, seed: int) -> None:
        self._path = path
        self._random = random.Random(seed)
        self._made = Ledgered()
        self._client: EngineClient | None = None
        self._load = Load(self._send)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._load.end()
        finally:
            if self._client is not None:
                self._client.close()

    def open_accounts(self) -> None:
        """Open the accounts, and begin to send."""
        flags = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
        accounts = [Account(id=_FUNDER, ledger=_LEDGER, code=1)]
        accounts += [
            Account(id=number, ledger=_LEDGER, code=2, flags=flags) for number in range(2, _ACCOUNTS)
        ]
        with EngineClient(self._path) as client:
            client.create_accounts(accounts)
        self._load.start()

    def run_for(self, seconds: float) -> None:
        """Let the load go on."""
        self._load.run_for(seconds)

    def first_answer_after(self, moment: float, *, seconds_max: float) -> float:
        """Return the seconds from a moment to the first answer to a request that was sent after it."""
        return self._load.first_answer_after(moment, seconds_max=seconds_max)

    def stop(self) -> Ledgered:
        """End the load; return what it was told."""
        self._load.end()
        return self._made

    def _send(self) -> None:
        self._send_until_known([self._transfer() for _ in range(self._random.randint(1, 20))])

    def _transfer(self) -> Transfer:
        debit = self._random.choice((_FUNDER, self._random.randrange(2, _ACCOUNTS)))
        credit = self._random.choice([number for number in range(2, _ACCOUNTS) if number != debit])
        return Transfer(
            id=self._random.getrandbits(127) | 1,
            debit_account_id=debit,
            credit_account_id=credit,
            amount=self._random.randint(1, 100),
            ledger=_LEDGER,
            code=1,
        )

    def _send_until_known(self, transfers: list[Transfer]) -> None:
        while True:
            sent_at = time.monotonic()
            try:
                if self._client is None:
                    self._client = EngineClient(self._path, timeout_seconds=_TIMEOUT_SECONDS)
                results = self._client.create_transfers(transfers)
                break
            except (OutcomeUnknown, EngineUnreachable, EngineRefused):
                if self._client is not None:
                    self._client.close()
                self._client = None
                time.sleep(_RETRY_SECONDS)
        self._load.answers.append((sent_at, time.monotonic()))
        known = (CreateTransferStatus.CREATED, CreateTransferStatus.EXISTS)
        for transfer, result in zip(transfers, results, strict=True):
            if result["status"] in known:
                self._made.acknowledged[transfer.id] = int(result["timestamp"]), transfer


def check_acknowledged(path: Path, made: Ledgered) -> tuple[int, int, int]:
    """Ask for every acknowledged transfer again; return how many are lost, doubled, and ledgers unbalanced.

    Asked again a transfer must exist with the timestamp it was acknowledged with. Doubled ones show in
    the totals, which must be the sums of what was acknowledged.
    """
    lost = 0
    with EngineClient(path, timeout_seconds=60) as client:
        known = list(made.acknowledged.values())
        for start in range(0, len(known), _CHECKED_AT_A_TIME):
            chunk = known[start : start + _CHECKED_AT_A_TIME]
            results = client.create_transfers([transfer for _, transfer in chunk])
            for (timestamp, _), result in zip(chunk, results, strict=True):
                same = result["status"] == CreateTransferStatus.EXISTS and result["timestamp"] == timestamp
                lost += not same
        moved = sum(transfer.amount for _, transfer in known)
        sums = client.trial_balance()
    unbalanced = sum(debits != credits_ or held != due for held, debits, due, credits_ in sums.values())
    doubled = int(sums[_LEDGER][1] != moved)
    return lost, doubled, unbalanced
