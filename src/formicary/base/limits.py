"""Every limit of the project, with its unit and its reason.

A loop, queue, file or message without a limit is an accident that waits for its first large
input. The unit stands in the name; the reason stands below the number, so that whoever
changes it knows what it held up.
"""

from __future__ import annotations

from typing import Final

REQUEST_ITEMS_MAX: Final = 8_189
"""Items in one request: the size the field's public model allows, so that its clients fit unchanged."""

GROUP_ITEMS_MAX: Final = 8_192
"""Items decided in one group: past it a commit gains little and everyone behind waits longer.

Never below ``REQUEST_ITEMS_MAX``, since a request is not torn apart by a group.
"""

GROUP_REQUESTS_MAX: Final = 1_024
"""Requests in one group: bounds the work per request (parsing, answering) between two commits."""

QUEUE_REQUESTS_MAX: Final = 4_096
"""Requests waiting for the engine: a longer queue only turns overload into time-outs, so it refuses."""

GENERATION_ROWS: Final = 1 << 20
"""Transfers kept in memory in one generation: the recent table is freed a generation at a time."""

SEGMENT_POSITIONS: Final = 1 << 20
"""Positions in one partition of the journal: small enough to index, archive or drop in seconds."""

TIMERS_PER_STEP_MAX: Final = 4_096
"""Timers run in one step: an hour in which many fall due must not delay a commit; the rest come next."""

PRODUCT_TIMERS_PER_STEP_MAX: Final = 256
"""Products' timers run in one step: each is decided in Python, and callers wait some 50 ms for so many."""

FRAME_BYTES_MAX: Final = 2 << 20
"""Bytes of one frame on the engine's socket: a full request of 8,189 transfers of 120 bytes fits twice.

An answer of as many results of 80 bytes is smaller.
"""

BLOCK_ROWS: Final = 16_384
"""Rows in one block that the server packs for a reader.

Without a btree it also goes through up to two ranges of pages that are not the block's: halves cost a sixth
more. Larger blocks read no faster and hold more memory.
"""

SMALL_APPEND_ROWS_MAX: Final = 128
"""Rows up to which an append is one insert statement, in a single round trip.

Measured: it takes three quarters of COPY's time for 1 to 16 rows and still a twentieth less at 100; past
that COPY's cheaper rows make up for its second round trip.
"""

ENTRY_INDEX_STRIDE: Final = 64
"""Entries of an account per entry of the sparse index: a look-up walks at most this many back-pointers."""

QUERY_LIMIT_MAX: Final = 8_189
"""Rows one query answers: the size of a request, so that an answer fits one frame."""

DEADLINE_SECONDS: Final = 10
"""Seconds a caller waits for an answer before it is told "not now": longer than any take-over may last."""

KERNEL_CACHES_KEPT_MAX: Final = 8
"""Folders of compiled kernels kept, 23 MB each: of all checkouts in use, and a few to go back to."""

AMOUNT_CHARACTERS_MAX: Final = 40
"""Characters of an amount as text: twice what 64 bits need; reading far longer numbers is slow."""

AGGREGATES_READ_MAX: Final = 1_024
"""Aggregates one look may ask for: at 2,000 bytes of JSON each, the answer still fits one frame."""

RECEIPTS_IN_MEMORY_MAX: Final = 1 << 16
"""Answers to commands kept in memory: retries come within minutes; older ones are read from the journal."""

BANK_FILE_BYTES_MAX: Final = 64 << 20
"""Bytes of a bank's statement file: some 100,000 entries; a busier account's come as several files."""

IMPORT_BATCH_ROWS: Final = 1 << 18
"""Rows of a team's file that are looked at together: large enough for columns, a few hundred megabytes."""

MAPPING_BYTES_MAX: Final = 1 << 20
"""Bytes of a mapping of a team's own history: a thousand kinds of events; more was written by a program."""

CONNECTIONS_MAX: Final = 512
"""Callers connected to the engine's socket: API workers and tools, not end users; each holds buffers."""

FOLLOWER_POSITIONS_MAX: Final = 1 << 18
"""Positions the follower reads before it looks up: bounds its memory, and how late a snapshot may be."""

FOLLOWER_RETRY_SECONDS_MAX: Final = 2
"""Seconds between two attempts to reach a database that is gone: it is back seconds after a restart."""

HISTORY_ENTRIES_MAX: Final = 1 << 17
"""Entries one question about an account may pass: at worst seconds of reading; more is refused."""

MEMORY_WALK_ENTRIES_MAX: Final = 1 << 10
"""Entries walked in one look at the engine's memory: about 0.2 ms in which it decides nothing."""

SEARCH_POSITIONS: Final = 1 << 17
"""Positions one statement of a search looks through: far below the deadline even on a slow disk."""

SNAPSHOT_ROWS: Final = 1 << 18
"""Rows between two snapshots: about half a second to fold.

A recovery folds at most these, what came while the snapshot was written, and what the follower lags behind.
A snapshot adds to files of rows what came since the last one; it does not write again what is there.
"""

SNAPSHOT_RECORDS_PER_ROW_MAX: Final = 4
"""Accounts, holds and as much of aggregates and features in a snapshot for each row since the last: with many
of them snapshots are rarer.

They are written whole, so this bounds what snapshots write to about three times the rows' own bytes.
"""

SNAPSHOT_SECONDS: Final = 300
"""Seconds between two snapshots of a journal that grows slowly: it never waits for its rows to fill up."""

VERIFY_STATEMENT_SECONDS: Final = 3_600
"""Seconds one statement of a verification may take: it sums up the whole journal, beside no one's request."""

KEY_OVERLAP_SECONDS_MAX: Final = 30 * 86_400
"""Seconds for which a replaced key may stay valid: a month rolls it out everywhere; longer is forgotten."""

APPROVAL_SECONDS_MAX: Final = 7 * 86_400
"""Seconds for which a proposal waits for a second person: a week has holidays in it; later it is stale."""

FACTS_PER_EVENT_MAX: Final = 1_000
"""Facts in one event: past that one more row of the journal costs each of them nearly nothing."""

FACT_FIELDS_MAX: Final = 32
"""Fields of a fact beside its time: what one job finds out about one thing; more is another kind."""

FACTS_BYTES_MAX: Final = 64 << 10
"""Bytes of JSON of one event of facts: 1,000 facts of an id and a small number.

The database spells them with up to half as much more in spaces, and ``BLOCK_ROWS`` of them, every second one
an answer, must come as one value of below 1 GiB, or the journal could not be read.
"""

ENTRY_LINES_MAX: Final = 8
"""Transfers in one manual entry: what two persons can check by eye; more is work for a program."""

TOKEN_SECONDS_MAX: Final = 900
"""Seconds an end user's token lives: nothing can take it back, so a stolen one must soon be worthless."""

TOKEN_CHARACTERS_MAX: Final = 1_024
"""Characters of a token: four times what one needs; longer ones are not even looked at."""

PERSONAL_FIELDS_MAX: Final = 64
"""Texts of personal data of one party: a name, some addresses, some numbers; more is somebody's archive."""

PERSONAL_FIELD_CHARACTERS_MAX: Final = 4_096
"""Characters of one text of personal data: the longest address is far shorter."""

PERSONAL_DATA_BYTES_MAX: Final = 1 << 16
"""Bytes of all personal data of one party: they are encrypted, sent and read as one value."""

API_BODY_BYTES_MAX: Final = 64 << 10
"""Bytes of a request's body: the largest single command is a fiftieth of it."""

API_BATCH_BODY_BYTES_MAX: Final = 4 << 20
"""Bytes of a batch's body: ``REQUEST_ITEMS_MAX`` items of about 500 bytes, three times what an item needs."""

API_REQUESTS_PER_SECOND: Final = 10_000
"""Requests a second of one key: several times what a worker can answer, so that it stops only runaways."""

API_REQUESTS_BURST: Final = 20_000
"""Requests of one key at once after a pause: two seconds' worth."""

API_RATE_KEYS_MAX: Final = 1 << 16
"""Keys and tokens whose rate is kept: past it the longest unused begin anew, with a full bucket."""

API_CONNECTIONS_MAX: Final = 1_024
"""Requests that one worker has under way: past it the answer is "not now": a longer queue only times out."""

API_HISTORY_THREADS: Final = 4
"""Threads of a worker that read history: each holds three database connections."""

API_PAGE_ITEMS: Final = 50
"""Items on a page unless asked otherwise: a screen's worth."""

API_PAGE_ITEMS_MAX: Final = 500
"""Items on a page at most: a few hundred kilobytes of JSON, written within milliseconds."""

API_SEARCH_CONDITIONS_MAX: Final = 16
"""Conditions of a search: each is a pass over every row looked at."""

API_SEARCH_ROWS_MAX: Final = 1 << 16
"""Rows one search looks at before it answers with what it has and where to go on: below a second."""

API_KEEP_ALIVE_SECONDS: Final = 30
"""Seconds an idle connection stays open: who pauses need not connect anew, who left is gone."""

API_LISTEN_BACKLOG: Final = 1_024
"""Connections that wait to be accepted: a burst of callers while a worker is being started again."""

API_STOP_SECONDS: Final = 5
"""Seconds a worker that is told to end has for what is under way: half of what its parent waits."""

FEATURE_BYTES_MAX: Final = 32 << 30
"""Bytes of the rows of features: ten million keys of three kilobytes each. Memory is taken as it is used."""

SKETCH_BUCKETS_MAX: Final = 2_048
"""Buckets of either sign in the sketch of a feature's values: from one minor unit to the largest sum."""

OBSERVED_ROWS: Final = 1_024
"""Readings of a set of features that wait to be counted: one by one, counting would cost the most."""

ARCHIVE_PART_POSITIONS: Final = 1 << 18
"""Positions of one part of the journal's archive: its files are written, checked and read whole."""

TRAINING_PART_POSITIONS: Final = 1 << 18
"""Positions that one file of a training set is of: what an interrupted run may have to fold again."""

TRAINING_PART_ROWS: Final = 1 << 18
"""Rows after which a file of a training set ends: a hundred features of so many take 200 megabytes of memory.

One event of the journal may hold ``FACTS_PER_EVENT_MAX`` of them, and is not cut.
"""

LABEL_PAIRS_AT_ONCE: Final = 1 << 22
"""Pairs of an event and an outcome looked at together for labels: about 200 MB, however many share an id."""

WEBHOOKS_MAX: Final = 64
"""Webhooks of one deployment: each is read through and sent to by itself."""

WEBHOOK_ATTEMPTS_MAX: Final = 12
"""Attempts to deliver one message, over about three days; then it is a dead letter for a person."""

WEBHOOK_PAUSE_SECONDS_MAX: Final = 28_800
"""Seconds between two attempts at most: a receiver that was away for a day gets all in time."""

WEBHOOK_SECONDS: Final = 15
"""Seconds a receiver has for its answer: the specification's own advice; longer work belongs behind it."""

WEBHOOK_URL_CHARACTERS_MAX: Final = 1_024
"""Characters of a webhook's address: no honest one is longer."""

FRAUD_HOPS_MAX: Final = 4
"""Hops to known fraud that are told apart: within more than that nearly every party is near everyone."""

RING_EDGES_MAX: Final = 200
"""Payees or payers of a party in a ring of three: with more it is a shop, and work grows as their square."""

RING_STEPS_AT_ONCE: Final = 10_000_000
"""Paths of two transfers looked at together in the search for rings: about 200 MB."""

RULE_DOCUMENT_BYTES_MAX: Final = 4 << 20
"""Bytes of a document of rules: its lists of 65,536 ids, and no file that was meant for something else."""

POLICY_RULES_MAX: Final = 64
"""Rules that are armed together: a decision records each in one bit of a word."""

POLICY_TEXTS_MAX: Final = 1 << 10
"""Armed policies whose sentences are kept in memory: decades of them, at some kilobytes each."""

CAPS_MAX: Final = 16
"""Caps of one policy: each is looked at by every decision."""

EXPLORED_MILLIONTHS_MAX: Final = 100_000
"""Of refused cases, those that are let through by lot: a tenth teaches enough, and more is another policy."""

DIFFERENCES_MAX: Final = 50
"""Differences that a replay of decisions tells one by one: where there are more, they have one cause."""

HOLD_SECONDS_MAX: Final = 31 * 86_400
"""How long money may be held: what nobody looked at for a month is given back."""

RULES_MAX: Final = 256
"""Rules of a set: run for every item, so many take a few microseconds; nobody oversees more."""

RULE_CHARACTERS_MAX: Final = 1_000
"""Characters of a rule's condition: half a screen; what is longer is two rules or a feature."""

RULE_DEPTH_MAX: Final = 24
"""Operations inside each other in a rule's condition: nobody reads as many brackets."""

RULE_LISTS_MAX: Final = 64
"""Lists of a set of rules: each is a table that the kernel keeps near."""

RULE_LIST_ENTRIES_MAX: Final = 1 << 16
"""Entries of all lists of a set of rules together: what grows beyond it is a fact that a feature reads."""

LEARNING_DAY_EVENTS_MAX: Final = 32
"""What happens to a model on one day at most: eight challengers, and thrice what may become of them."""

LEARNING_GATES_MAX: Final = 32
"""Gates of a challenger at most: a dozen of the factory's own, and one for each of some twenty segments."""

LEARNING_SHOWN_MAX: Final = 32
"""Figures that a challenger shows beside its gates at most: ten of its own, three for each of some groups."""

LEARNING_SAID_CHARACTERS_MAX: Final = 200
"""Characters of what a gate or an alarm says, a sentence. So a challenger with all gates is 10 kilobytes."""

LEARNING_DAY_BYTES_MAX: Final = 64 << 10
"""Bytes of JSON of all that happened on one day: three challengers with all gates and figures, a dozen as
they are; no more for the reason of facts."""

MODEL_BYTES_MAX: Final = 16 << 20
"""Bytes of a stored model: three times 2,000 trees of 63 leaves. A version stays in the journal for good."""

MODEL_PART_BYTES_MAX: Final = 48 << 10
"""Bytes of one part of a model: in base64 they are ``FACTS_BYTES_MAX``, and for the same reason no more."""

MODEL_ENTRY_BYTES_MAX: Final = 64 << 10
"""Bytes of JSON of a registration: a manifest of hundreds of features; no more for the reason of facts."""

POLICY_BYTES_MAX: Final = 96 << 10
"""Bytes of JSON of an armed policy: 256 rules with reasons, and lists of some hundred ids.

It is mostly texts, which the database spells without more spaces: a block with one in every second row is 768
MiB, below the 1 GiB of one value.
"""

SWEEP_BYTES_MAX: Final = 96 << 10
"""Bytes of JSON of the sweeps of a command, which an answer follows: as a policy's, for the same reason.

They are 72 KiB of columns in base64, 9,200 numbers of 8 bytes, so that one for each transfer of a chain fits.
"""

RULE_CASES_MAX: Final = 10_000
"""Cases of a document that tests rules: a person wrote them, or a program that should use a table."""

BACKTEST_ROWS_MAX: Final = 20_000_000
"""Rows of a table that rules are run over: with fifty features they take eight gigabytes."""

MONEY_DAYS_MAX: Final = 3_660
"""Days of decisions whose money is counted: ten years; each is drawn two thousand times for intervals."""

MONEY_SEGMENTS_MAX: Final = 100
"""Segments that money is told by: a table of more is read by nobody, and a column of ids is none."""

COUNTERFACTUAL_ROWS_MAX: Final = 1 << 17
"""Changes that are judged to find the smallest one: a second of a forest, for a person who waits."""

LEAK_ROWS_EACH_MAX: Final = 10_000
"""Rows of either class that columns are looked at for leaks by: a leak shows in fewer, forests take time."""

SCORECARD_ROWS_EACH_MAX: Final = 20_000
"""Rows of either class that a scorecard's coefficients are fitted to.

They are off by a hundredth then, which moves no rank, and work grows as rows times columns squared.
"""

EXPERIMENT_BYTES_MAX: Final = 32 << 10
"""Bytes of a document that defines an experiment: dozens of metrics, and no file meant for something else."""

EXPERIMENT_ARMS_MAX: Final = 8
"""Arms of an experiment: each is compared with the first, and of more no comparison has parties enough."""

EXPERIMENT_METRICS_MAX: Final = 32
"""Metrics of an experiment: goals share its alpha, so that many show nothing."""

LAYER_EXPERIMENTS_MAX: Final = 16
"""Experiments that run in a layer together: the layer knows the lots of each, within one small aggregate."""

EXPERIMENT_ARM_PARTIES_MIN: Final = 100
"""Parties of an arm before anything is said of it: with fewer the mean of a skewed metric is not normal."""

EXPERIMENT_DAYS_MAX: Final = 400
"""Days that are planned or looked at: work grows as their square, and nothing stays the same for longer."""

EXPERIMENT_WATCH_SECONDS: Final = 900
"""Seconds of business time between two looks at running experiments.

Harm shows as outcomes become known, day by day, and a look reads all of them anew.
"""

EXPERIMENT_ROWS_MAX: Final = 20_000_000
"""Rows of a table of outcomes: with ten columns of reals they take two gigabytes."""

CIVIL_DAYS_BACK_MAX: Final = 25_567
"""Days before 1970-01-01 of the first date that is read, 1900-01-01: no contract is older."""

CIVIL_DAY_MAX: Final = 157_053
"""Days since 1970-01-01 of the last date that is read, 2399-12-31: what is later was mistyped."""
