"""Every table. Rows are authoritative for commands; `body` holds the noun as strict JSON (`domain.codec`), and the
other columns are what is looked up, unique, or locked.

Every row carries its organisation and project. Times are UTC microseconds, hashes lower-case hex.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _tenant() -> list[Column[str]]:
    return [Column("organisation_id", String(40), nullable=False), Column("project_id", String(40), nullable=False)]


def _noun(
    name: str,
    *columns: Column[str] | Column[int],
    unique: tuple[str, ...] = (),
    indexes: tuple[tuple[str, ...], ...] = (),
) -> Table:
    constraints = [UniqueConstraint("project_id", *unique)] if unique else []
    return Table(
        name,
        metadata,
        Column("id", String(64), primary_key=True),
        *_tenant(),
        *columns,
        Column("body", Text, nullable=False),
        *constraints,
        *(Index(None, "project_id", *index) for index in indexes),
    )


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(200), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


# --- the event log and its Merkle tree -----------------------------------------------------------------------------

event = Table(
    "event",
    metadata,
    # Appending order. Gaps are possible (a rolled-back transaction); places in the Merkle log have none.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(40), nullable=False, unique=True),
    *_tenant(),
    Column("stream", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    _time("time_us"),
    Column("cause", String(40), nullable=True),
    # Canonical JSON of {"actor", "body"}; None once erased.
    Column("content", Text, nullable=True),
    # 32 random hex digits, so that an erased content cannot be guessed from its hash; None once erased.
    Column("salt", String(32), nullable=True),
    Column("content_hash", String(64), nullable=False),
    # The event's leaf index in the Merkle log; None until the sequencer has been there.
    Column("place", BigInteger, nullable=True, unique=True),
    UniqueConstraint("project_id", "stream", "position"),
    Index("ix_event_project_id_number", "project_id", "number"),
    # What the sequencer still has to do, found without walking through what it has done.
    Index("ix_event_unsequenced", "number", sqlite_where=text("place IS NULL"), postgresql_where=text("place IS NULL")),
)

merkle_node = Table(
    "merkle_node",
    metadata,
    # The root of the full subtree over leaves [index * 2^level, (index + 1) * 2^level); level 0 holds the leaves.
    Column("level", Integer, primary_key=True),
    Column("index", BigInteger, primary_key=True),
    Column("hash", String(64), nullable=False),
)

log_head = Table(
    "log_head",
    metadata,
    # One row (id 1), which the migration writes: its lock makes one sequencer at a time.
    Column("id", Integer, primary_key=True),
    Column("size", BigInteger, nullable=False),
    # The public key (`store.notes`) of the first checkpoint, which all others are signed by; None before there is one.
    Column("key", Text, nullable=True),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    # Signed notes of the tree's root (`store.checkpoints`), one a batch of the sequencer. The latest is needed, the
    # earlier ones show when events were sealed.
    Column("size", BigInteger, primary_key=True),
    Column("note", Text, nullable=False),
)

reactor_cursor = Table(
    "reactor_cursor",
    metadata,
    Column("project_id", String(40), primary_key=True),
    Column("reactor", String(80), primary_key=True),
    Column("organisation_id", String(40), nullable=False),
    # The first place in the log that the reactor has not seen.
    Column("place", BigInteger, nullable=False),
)

# --- the engine ----------------------------------------------------------------------------------------------------

run = Table(
    "run",
    metadata,
    Column("id", String(40), primary_key=True),
    *_tenant(),
    Column("workflow", String(80), nullable=False),
    Column("subject", String(200), nullable=False),
    # At most one run that has not ended holds a key; None once it has ended.
    Column("exclusive_key", String(200), nullable=True),
    Column("revision", BigInteger, nullable=False),
    Column("status", String(20), nullable=False),
    Column("wake_us", BigInteger, nullable=True),
    # The process that has started a step and not reported back, None between steps.
    Column("holder", String(80), nullable=True),
    _time("created_us"),
    Column("input", Text, nullable=False),
    Column("state", Text, nullable=False),
    UniqueConstraint("project_id", "exclusive_key"),
    Index("ix_run_wake_us", "wake_us"),
    Index("ix_run_subject", "subject"),
    Index("ix_run_workflow_revision", "workflow", "revision"),
    # What is under way: a handful, among all runs that ever were.
    Index(
        "ix_run_held", "holder", sqlite_where=text("holder IS NOT NULL"), postgresql_where=text("holder IS NOT NULL")
    ),
)

journal = Table(
    "journal",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    *_tenant(),
    Column("step", String(80), nullable=False),
    Column("undo", Boolean, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("holder", String(80), nullable=False),
    _time("started_us"),
    _time("ended_us", nullable=True),
    # None while started and unfinished.
    Column("outcome", String(20), nullable=True),
    Column("detail", Text, nullable=True),
)

signal = Table(
    "signal",
    metadata,
    Column("id", String(40), primary_key=True),
    *_tenant(),
    Column("run_id", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("body", Text, nullable=False),
    _time("time_us"),
    Column("consumed_revision", BigInteger, nullable=True),
    Index("ix_signal_run_id_consumed_revision", "run_id", "consumed_revision"),
)

node = Table(
    "node",
    metadata,
    # One row for each process that runs the engine: its incarnation, and when it was last seen alive.
    Column("id", String(80), primary_key=True),
    _time("beat_us"),
)

# --- the nouns -----------------------------------------------------------------------------------------------------

release = _noun(
    "release",
    _text("package"),
    _text("version"),
    _text("status"),
    _time("created_us"),
    unique=("package", "version"),
    indexes=(("created_us",),),
)
release_batch = _noun("release_batch", _text("commit"))
evidence = _noun(
    "evidence",
    _text("release_id"),
    _text("kind"),
    _text("digest"),
    _time("created_us"),
    indexes=(("release_id", "created_us"),),
)
component = Table(
    "component",
    metadata,
    # What the SBOMs of a release list, in their order. A row each, so that who contains a package is one look-up.
    Column("release_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    *_tenant(),
    # Of the package URL, "" where there is none; the name with its namespace, as its ecosystem compares names.
    Column("type", String(40), nullable=False),
    Column("name", String(400), nullable=False),
    Column("version", Text, nullable=False),
    Column("purl", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Index("ix_component_project_id_name", "project_id", "name"),
)
# What a report of findings lists, a row each. Not a noun with a body: hundreds of thousands are written at once, and
# counted by one aggregate. Texts are as `capabilities.evidence` has them, `ids` is a JSON list.
finding = Table(
    "finding",
    metadata,
    Column("release_id", String(64), primary_key=True),
    Column("fingerprint", String(64), primary_key=True),
    *_tenant(),
    # The report that said so last.
    Column("evidence_id", String(64), nullable=False),
    Column("severity", String(20), nullable=False),
    # The tool itself was told to be silent about it.
    Column("suppressed", Boolean, nullable=False),
    Column("tool", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("path", Text, nullable=True),
    Column("line", Integer, nullable=True),
    Column("package", Text, nullable=True),
    Column("version", Text, nullable=True),
    Column("fixed_version", Text, nullable=True),
    Column("ids", Text, nullable=False),
    # Counting and listing by severity touch this alone.
    Index("ix_finding_release_id_severity", "release_id", "severity", "suppressed"),
)
# What reports say that later ones are compared with: `shipline.evidence/1`, compressed with zlib.
report_content = Table(
    "report_content",
    metadata,
    Column("evidence_id", String(64), primary_key=True),
    *_tenant(),
    Column("content", LargeBinary, nullable=False),
)
# The difference of a release's reports of one kind to those of the release before.
comparison = _noun("comparison", _text("release_id"), _text("kind"), unique=("release_id", "kind"))
# Versions that evidence came for before they were released. The id is the one that the release will have.
release_ahead = _noun(
    "release_ahead", _text("package"), _text("version"), _text("commit"), unique=("package", "version", "commit")
)
verdict = _noun(
    "verdict",
    _text("release_id"),
    _text("stage"),
    _text("gate"),
    _time("decided_us"),
    indexes=(("release_id", "decided_us"),),
)
rollout = _noun(
    "rollout",
    _text("environment"),
    _text("package"),
    _text("version"),
    _text("status"),
    _time("started_us"),
    indexes=(("started_us",), ("environment", "started_us")),
)
observation = _noun(
    "observation", _text("rollout_id"), Column("number", Integer, nullable=False), unique=("rollout_id", "number")
)
deployment = _noun(
    "deployment",
    _text("environment"),
    _text("package"),
    _text("version"),
    _text("rollout_id"),
    _time("began_us"),
    _time("finished_us", nullable=True),
    _time("ended_us", nullable=True),
    indexes=(("environment", "began_us"), ("rollout_id",)),
)
incident = _noun(
    "incident",
    _text("environment"),
    _text("status"),
    _text("rollout_id", nullable=True),
    _time("opened_us"),
    indexes=(("opened_us",), ("rollout_id",)),
)
# What people have closed for a time. `key` is "" where the request had none.
freeze = _noun(
    "freeze",
    Column("key", String(300), nullable=False),
    _time("begins_us"),
    _time("ends_us"),
    _time("lifted_us", nullable=True),
    indexes=(("ends_us",), ("key",)),
)

# --- what forges tell ----------------------------------------------------------------------------------------------

delivery = Table(
    "delivery",
    metadata,
    # The order in which they came. Gaps are possible.
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    *_tenant(),
    # Who told: github, gitlab, gitea, or reconciliation, which is our own look.
    Column("hook", String(40), nullable=False),
    # The forge's name for the event, which its own redeliveries bear too.
    Column("delivery", String(200), nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("event", String(80), nullable=False),
    _time("received_us"),
    Column("status", String(20), nullable=False),
    _time("handled_us", nullable=True),
    # How often the same came again.
    Column("repeats", Integer, nullable=False),
    # What it says, in words, and the keys of the commands that it led to, as a JSON list; once it was handled.
    Column("said", Text, nullable=False),
    Column("commands", Text, nullable=False),
    Column("payload", Text, nullable=False),
    UniqueConstraint("project_id", "hook", "delivery", "payload_hash"),
    Index(
        "ix_delivery_waiting",
        "number",
        sqlite_where=text("status = 'waiting'"),
        postgresql_where=text("status = 'waiting'"),
    ),
    Index("ix_delivery_project_id_received_us", "project_id", "received_us"),
)

forge_seen = Table(
    "forge_seen",
    metadata,
    # What is known of a branch or pull request of the forge, by hooks or by looking: `branch:main` -> its commit.
    Column("project_id", String(40), primary_key=True),
    Column("name", String(300), primary_key=True),
    Column("organisation_id", String(40), nullable=False),
    Column("value", String(200), nullable=False),
    _time("seen_us"),
)

# --- what is the same on two forges --------------------------------------------------------------------------------

sync_link = Table(
    "sync_link",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    *_tenant(),
    # label, milestone, issue, comment, ref and such; a comment's parent is the number of the link of what it is below,
    # that of all others 0.
    Column("kind", String(20), nullable=False),
    Column("parent", BigInteger, nullable=False),
    # The forges' names for it. NULL: it is gone there, and is not made again.
    Column("here_key", String(200), nullable=True),
    Column("there_key", String(200), nullable=True),
    # Where it was written first: here or there.
    Column("origin", String(10), nullable=False),
    # How it was seen last, as JSON: hashes of its texts.
    Column("here_seen", Text, nullable=False),
    Column("there_seen", Text, nullable=False),
    # The change of an issue up to which its comments were read, as the forge dates it.
    _time("here_updated_us"),
    _time("there_updated_us"),
    # When the copy was made; 0 where both were there.
    _time("made_us"),
    UniqueConstraint("project_id", "kind", "parent", "here_key", name="uq_sync_link_here"),
    UniqueConstraint("project_id", "kind", "parent", "there_key", name="uq_sync_link_there"),
    Index("ix_sync_link_project_id_made_us", "project_id", "made_us"),
)
