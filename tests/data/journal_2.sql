-- A journal as the bandcast before budgets wrote it: layout 2, one campaign of four messages and one
-- shard, one message delivered, one in doubt, one rejected, one that nobody tried.
PRAGMA application_id = 1650684788;
PRAGMA user_version = 2;
-- Everything the journal keeps. A shard's payload lies apart, so that renewing a lease does not
-- rewrite it. A message has a row only once somebody tried to send it.
CREATE TABLE campaign (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    run         TEXT    NOT NULL UNIQUE,
    fingerprint TEXT    NOT NULL,
    messages    INTEGER NOT NULL,
    segments    INTEGER NOT NULL,
    cost_micros INTEGER NOT NULL,
    currency    TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE TABLE shard (
    campaign    INTEGER NOT NULL,
    shard       INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    zone        TEXT,
    phase       INTEGER NOT NULL,
    state       TEXT    NOT NULL DEFAULT 'open',
    token       INTEGER NOT NULL DEFAULT 0,
    owner       TEXT,
    lease_until INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign, shard)
) STRICT, WITHOUT ROWID;
CREATE TABLE payload (
    campaign    INTEGER NOT NULL,
    shard       INTEGER NOT NULL,
    payload     BLOB    NOT NULL,
    PRIMARY KEY (campaign, shard)
) STRICT;
CREATE TABLE message (
    campaign        INTEGER NOT NULL,
    row             INTEGER NOT NULL,
    shard           INTEGER NOT NULL,
    key             TEXT,
    state           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    owner           TEXT,
    message_id      TEXT,
    http_status     INTEGER,
    error_code      TEXT,
    error           TEXT,
    accepted_at     INTEGER,
    final_at        INTEGER,
    segments_billed INTEGER,
    carrier         TEXT,
    PRIMARY KEY (campaign, row),
    UNIQUE (campaign, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_of_shard ON message (campaign, shard);
CREATE INDEX message_of_id ON message (message_id) WHERE message_id IS NOT NULL;
CREATE TABLE earlier_attempt (
    campaign INTEGER NOT NULL,
    row      INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    owner    TEXT    NOT NULL,
    PRIMARY KEY (campaign, row, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipt (
    id              INTEGER PRIMARY KEY,
    digest          BLOB    NOT NULL UNIQUE,
    campaign        INTEGER,
    row             INTEGER,
    kind            TEXT    NOT NULL,
    message_id      TEXT    NOT NULL,
    recipient       TEXT    NOT NULL,
    time            INTEGER NOT NULL,
    tag             TEXT,
    error_code      INTEGER,
    description     TEXT    NOT NULL,
    carrier         TEXT,
    segments_billed INTEGER,
    raw             BLOB    NOT NULL,
    came_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX receipt_unmatched ON receipt (message_id) WHERE row IS NULL;
CREATE TABLE suppression (
    number  TEXT    NOT NULL PRIMARY KEY,
    source  TEXT    NOT NULL,
    because TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE lifted (
    id            INTEGER PRIMARY KEY,
    number        TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    because       TEXT    NOT NULL,
    at            INTEGER NOT NULL,
    lifted_by     TEXT    NOT NULL,
    lifted_because TEXT   NOT NULL,
    lifted_at     INTEGER NOT NULL
) STRICT;
CREATE TABLE account (
    account TEXT    NOT NULL PRIMARY KEY,
    rate    REAL    NOT NULL,
    tat     INTEGER NOT NULL,
    step    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE event (
    id       INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    row      INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    "by"     TEXT    NOT NULL,
    because  TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
INSERT INTO campaign VALUES
    (1, 'spring-sale', 'r7k2', '{"recipients": "aa", "template": "bb"}', 4, 8, 33200, 'USD',
     1795251600000000);
INSERT INTO shard (campaign, shard, rows, phase) VALUES (1, 0, 4, 0);
INSERT INTO payload VALUES (1, 0, x'00');
INSERT INTO message (campaign, row, shard, key, state, attempts, owner, message_id, segments_billed)
VALUES
    (1, 1, 0, 'key-1', 'delivered', 1, 'host:1:a', 'id-1', 2),
    (1, 2, 0, 'key-2', 'in_doubt', 1, 'host:1:a', NULL, NULL),
    (1, 3, 0, 'key-3', 'rejected', 1, 'host:1:a', NULL, NULL);
