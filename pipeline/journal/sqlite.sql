-- The statements of the SQLite journal. Times are microseconds since 1970 (UTC), money is millionths.

-- schema --
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
CREATE TABLE left_out (
    campaign    INTEGER PRIMARY KEY,
    left_out    BLOB    NOT NULL
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
    segments        INTEGER NOT NULL DEFAULT 1,
    cost_micros     INTEGER NOT NULL DEFAULT 0,
    is_released     INTEGER NOT NULL DEFAULT 0,
    purse           INTEGER,
    begun_at        INTEGER,
    earlier_micros  INTEGER NOT NULL DEFAULT 0,
    group_row       INTEGER,
    recipient       TEXT,
    PRIMARY KEY (campaign, row),
    UNIQUE (campaign, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_of_group ON message (campaign, group_row) WHERE group_row IS NOT NULL;
CREATE INDEX message_of_shard ON message (campaign, shard);
CREATE INDEX message_of_id ON message (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX message_in_doubt ON message (campaign, row) WHERE state = 'in_doubt';
CREATE INDEX message_released ON message (campaign, row) WHERE is_released = 1;
CREATE INDEX message_written_off ON message (campaign, row) WHERE state = 'written_off';
CREATE TABLE earlier_attempt (
    campaign    INTEGER NOT NULL,
    row         INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    owner       TEXT    NOT NULL,
    begun_at    INTEGER,
    is_doubtful INTEGER NOT NULL DEFAULT 0,
    message_id  TEXT,
    error_code  TEXT,
    PRIMARY KEY (campaign, row, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX doubtful_attempt ON earlier_attempt (campaign, row) WHERE is_doubtful = 1;
CREATE INDEX earlier_attempt_of_id ON earlier_attempt (message_id) WHERE message_id IS NOT NULL;
CREATE TABLE explained (
    message_id TEXT    NOT NULL PRIMARY KEY,
    campaign   INTEGER NOT NULL,
    row        INTEGER NOT NULL,
    how        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence (
    campaign   INTEGER NOT NULL,
    row        INTEGER NOT NULL,
    looked_at  INTEGER NOT NULL,
    candidates TEXT    NOT NULL,
    rivals     INTEGER NOT NULL,
    PRIMARY KEY (campaign, row)
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
CREATE TABLE inbound (
    id         INTEGER PRIMARY KEY,
    message_id TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    sender     TEXT    NOT NULL,
    wish       TEXT,
    raw        BLOB    NOT NULL,
    time       INTEGER NOT NULL,
    came_at    INTEGER NOT NULL,
    UNIQUE (message_id, recipient)
) STRICT;
CREATE TABLE last_word (
    number TEXT    NOT NULL PRIMARY KEY,
    wish   TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
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
CREATE TABLE purse (
    id       INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    account  TEXT    NOT NULL,
    day      INTEGER NOT NULL,
    sending  INTEGER NOT NULL DEFAULT 0,
    in_doubt INTEGER NOT NULL DEFAULT 0,
    spent    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (campaign, account, day)
) STRICT;
CREATE INDEX purse_of_day ON purse (account, day);
CREATE TABLE event (
    id       INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    row      INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    "by"     TEXT    NOT NULL,
    because  TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE TABLE pause (
    campaign INTEGER PRIMARY KEY,
    "by"     TEXT    NOT NULL,
    because  TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

-- upgrade_2 --
-- Schema 2 did not keep whom a plan leaves out.
CREATE TABLE left_out (
    campaign    INTEGER PRIMARY KEY,
    left_out    BLOB    NOT NULL
) STRICT;

-- upgrade_3 --
-- Schema 3 knew no money: what was tried costs the mean of its campaign, rounded up, in
-- a purse of no account and day.
ALTER TABLE message ADD COLUMN segments INTEGER NOT NULL DEFAULT 1;
ALTER TABLE message ADD COLUMN cost_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN is_released INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN purse INTEGER;
CREATE TABLE purse (
    id       INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL,
    account  TEXT    NOT NULL,
    day      INTEGER NOT NULL,
    sending  INTEGER NOT NULL DEFAULT 0,
    in_doubt INTEGER NOT NULL DEFAULT 0,
    spent    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (campaign, account, day)
) STRICT;
CREATE INDEX purse_of_day ON purse (account, day);
INSERT INTO purse (campaign, account, day) SELECT id, '', 0 FROM campaign;
UPDATE message SET
    segments = coalesce(segments_billed, segments),
    cost_micros = (
        SELECT (c.cost_micros + c.messages - 1) / max(c.messages, 1)
        FROM campaign c WHERE c.id = message.campaign),
    purse = (SELECT id FROM purse WHERE purse.campaign = message.campaign);
UPDATE purse SET
    sending = (
        SELECT coalesce(sum(cost_micros), 0) FROM message
        WHERE purse = purse.id AND state = 'sending'),
    in_doubt = (
        SELECT coalesce(sum(cost_micros), 0) FROM message
        WHERE purse = purse.id AND state = 'in_doubt'),
    spent = (
        SELECT coalesce(sum(cost_micros), 0) FROM message
        WHERE purse = purse.id AND state IN ('accepted', 'delivered', 'failed'));

-- upgrade_4 --
-- Schema 4 did not keep what people said to us.
CREATE TABLE inbound (
    id         INTEGER PRIMARY KEY,
    message_id TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    sender     TEXT    NOT NULL,
    wish       TEXT,
    raw        BLOB    NOT NULL,
    time       INTEGER NOT NULL,
    came_at    INTEGER NOT NULL,
    UNIQUE (message_id, recipient)
) STRICT;
CREATE TABLE last_word (
    number TEXT    NOT NULL PRIMARY KEY,
    wish   TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- upgrade_5 --
-- Schema 5 did not note when an attempt was begun, whose other ids are, and what the listing said.
-- An earlier attempt is doubtful where an operator ever released its message.
ALTER TABLE message ADD COLUMN begun_at INTEGER;
CREATE INDEX message_in_doubt ON message (campaign, row) WHERE state = 'in_doubt';
CREATE INDEX message_released ON message (campaign, row) WHERE is_released = 1;
ALTER TABLE earlier_attempt ADD COLUMN begun_at INTEGER;
ALTER TABLE earlier_attempt ADD COLUMN is_doubtful INTEGER NOT NULL DEFAULT 0;
CREATE INDEX doubtful_attempt ON earlier_attempt (campaign, row) WHERE is_doubtful = 1;
UPDATE earlier_attempt SET is_doubtful = 1 WHERE EXISTS (
    SELECT 1 FROM event
    WHERE event.campaign = earlier_attempt.campaign AND event.row = earlier_attempt.row);
CREATE TABLE explained (
    message_id TEXT    NOT NULL PRIMARY KEY,
    campaign   INTEGER NOT NULL,
    row        INTEGER NOT NULL,
    how        TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE evidence (
    campaign   INTEGER NOT NULL,
    row        INTEGER NOT NULL,
    looked_at  INTEGER NOT NULL,
    candidates TEXT    NOT NULL,
    rivals     INTEGER NOT NULL,
    PRIMARY KEY (campaign, row)
) STRICT, WITHOUT ROWID;

-- upgrade_6 --
-- Schema 6 sent no failed message again, and knew no pause and nothing written off.
ALTER TABLE message ADD COLUMN earlier_micros INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_written_off ON message (campaign, row) WHERE state = 'written_off';
ALTER TABLE earlier_attempt ADD COLUMN message_id TEXT;
ALTER TABLE earlier_attempt ADD COLUMN error_code TEXT;
CREATE INDEX earlier_attempt_of_id ON earlier_attempt (message_id) WHERE message_id IS NOT NULL;
CREATE TABLE pause (
    campaign INTEGER PRIMARY KEY,
    "by"     TEXT    NOT NULL,
    because  TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

-- upgrade_7 --
-- Schema 7 knew no groups: every message had one recipient.
ALTER TABLE message ADD COLUMN group_row INTEGER;
ALTER TABLE message ADD COLUMN recipient TEXT;
CREATE INDEX message_of_group ON message (campaign, group_row) WHERE group_row IS NOT NULL;

-- campaign --
-- Find a campaign and its plan.
SELECT id, run, fingerprint, messages, segments, cost_micros, currency, created_at
FROM campaign WHERE name = ?;

-- campaign_names --
-- Name every campaign, oldest first.
SELECT name FROM campaign ORDER BY id;

-- add_campaign --
-- Store a plan's totals.
INSERT INTO campaign (name, run, fingerprint, messages, segments, cost_micros, currency, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id;

-- is_begun --
-- Ask whether a campaign has more to tell than one attempt of each that surely failed to leave.
SELECT 1 FROM campaign WHERE name = ? AND (
    EXISTS (
        SELECT 1 FROM message WHERE message.campaign = campaign.id AND (
            state <> 'ready' OR attempts > 1 OR is_released = 1 OR http_status >= 500
            OR message_id IS NOT NULL OR error_code IS NOT NULL))
    OR EXISTS (SELECT 1 FROM event WHERE event.campaign = campaign.id AND event.row <> 0));

-- replace_campaign --
-- Store another plan's totals; what people decided about the campaign stays.
UPDATE campaign SET run = ?, fingerprint = ?, messages = ?, segments = ?, cost_micros = ?,
    currency = ?, created_at = ?
WHERE id = ?;

-- remove_shards --
-- Forget the shards of a plan that another one replaces.
DELETE FROM shard WHERE campaign = ?;

-- remove_messages --
-- Forget what was tried of it, of which nothing has left.
DELETE FROM message WHERE campaign = ?;

-- remove_earlier --
-- Forget its earlier attempts.
DELETE FROM earlier_attempt WHERE campaign = ?;

-- remove_notes --
-- Forget what the listing did not say of them.
DELETE FROM evidence WHERE campaign = ?;

-- remove_payloads --
-- Forget their messages.
DELETE FROM payload WHERE campaign = ?;

-- remove_left_out --
-- Forget whom it left out.
DELETE FROM left_out WHERE campaign = ?;

-- add_left_out --
-- Store whom a plan leaves out.
INSERT INTO left_out (campaign, left_out) VALUES (?, ?);

-- left_out --
-- Read whom a campaign's plan leaves out.
SELECT left_out FROM left_out WHERE campaign = (SELECT id FROM campaign WHERE name = ?);

-- add_shard --
-- Store a shard, free to take.
INSERT INTO shard (campaign, shard, rows, zone, phase) VALUES (?, ?, ?, ?, ?);

-- add_payload --
-- Store the messages of a shard.
INSERT INTO payload (campaign, shard, payload) VALUES (?, ?, ?);

-- lapse_leases --
-- Nobody alive owns a shard of this campaign.
UPDATE shard SET lease_until = 0 WHERE campaign = ?;

-- take_shard --
-- Give the first free shard to an owner, under its next token; who lives keeps what it has.
UPDATE shard SET token = token + 1, owner = ?1, lease_until = ?2
WHERE campaign = ?3 AND shard = (
    SELECT shard FROM shard
    WHERE campaign = ?3 AND state = 'open' AND lease_until <= ?4 AND owner IS NOT ?1
    ORDER BY phase, shard LIMIT 1)
RETURNING shard, token;

-- payload_of_shard --
-- Read the messages of a shard.
SELECT payload FROM payload WHERE campaign = ? AND shard = ?;

-- open_attempts --
-- Find the messages of a shard whose attempt is open.
SELECT row FROM message WHERE campaign = ? AND shard = ? AND state = 'sending';

-- settled_rows --
-- List the rows of a shard that need nothing more from a sender.
SELECT row FROM message WHERE campaign = ? AND shard = ? AND state <> 'ready';

-- renew_lease --
-- Hold a shard for longer, where it is still this owner's under this token.
UPDATE shard SET lease_until = ? WHERE campaign = ? AND shard = ? AND token = ? AND owner = ?;

-- leave_shard --
-- Give a shard back: done where every message of it has a settled row, else free to take.
UPDATE shard SET owner = NULL, lease_until = 0, state = CASE
    WHEN rows <= (SELECT count(*) FROM message WHERE campaign = ?1 AND shard = ?2)
        AND NOT EXISTS (
            SELECT 1 FROM message
            WHERE campaign = ?1 AND shard = ?2 AND state IN ('ready', 'sending'))
    THEN 'done' ELSE 'open' END
WHERE campaign = ?1 AND shard = ?2 AND token = ?3 AND owner = ?4;

-- open_shard --
-- A shard with a READY message is not done.
UPDATE shard SET state = 'open' WHERE campaign = ? AND shard = ?;

-- is_suppressed --
-- Ask whether a number gets no texts.
SELECT 1 FROM suppression WHERE number = ?;

-- suppress --
-- Give a number no texts any more.
INSERT INTO suppression (number, source, because, at) VALUES (?, ?, ?, ?)
ON CONFLICT DO NOTHING;

-- suppress_otherwise --
-- Give another reason why a number gets no texts; since when stays.
UPDATE suppression SET source = ?2, because = ?3 WHERE number = ?1;

-- keep_lifted --
-- Remember a suppression that somebody takes back.
INSERT INTO lifted (number, source, because, at, lifted_by, lifted_because, lifted_at)
SELECT number, source, because, at, ?2, ?3, ?4 FROM suppression WHERE number = ?1;

-- lift --
-- Give a number texts again.
DELETE FROM suppression WHERE number = ?;

-- suppressions --
-- Read the next suppressed numbers, in order.
SELECT number, source, because, at FROM suppression WHERE number > ? ORDER BY number LIMIT ?;

-- source_of_suppression --
-- Find where a number's suppression came from.
SELECT source FROM suppression WHERE number = ?;

-- keep_inbound --
-- Keep an inbound message as it came, once.
INSERT INTO inbound (message_id, recipient, sender, wish, raw, time, came_at)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- heard --
-- Read the next inbound messages, in the order in which they came.
SELECT id, message_id, recipient, sender, wish, raw, time, came_at
FROM inbound WHERE id > ? ORDER BY id LIMIT ?;

-- last_word --
-- Find what somebody wanted last.
SELECT wish, at FROM last_word WHERE number = ?;

-- set_last_word --
-- Remember what somebody wants now.
INSERT INTO last_word (number, wish, at) VALUES (?, ?, ?)
ON CONFLICT (number) DO UPDATE SET wish = excluded.wish, at = excluded.at;

-- shard_numbers --
-- List the shards of a campaign.
SELECT shard FROM shard WHERE campaign = ? ORDER BY shard;

-- add_attempted --
-- Record the first attempt of a message, unless it has a row or another row has its key.
INSERT INTO message (campaign, row, shard, key, state, attempts, owner, segments, cost_micros,
    is_released, purse, begun_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- join_group --
-- Note under which row a recipient's group is attempted.
UPDATE message SET group_row = ?, recipient = ? WHERE campaign = ? AND row = ?;

-- rows_of_group --
-- List the rows of a group message, the one of its attempts among them.
SELECT row FROM message WHERE campaign = ? AND group_row = ? ORDER BY row;

-- attempt_again --
-- Record the next attempt of a message that is still what it was when it was read.
UPDATE message SET state = ?, attempts = ?, owner = ?, segments = ?, cost_micros = ?,
    is_released = ?, purse = ?, begun_at = ?, message_id = ?, http_status = ?, error_code = ?,
    error = ?, accepted_at = ?, final_at = ?, segments_billed = ?, carrier = ?, earlier_micros = ?
WHERE campaign = ? AND row = ? AND state = ? AND attempts = ?;

-- keep_earlier --
-- Remember an attempt that another one follows.
INSERT INTO earlier_attempt (campaign, row, number, owner, begun_at, is_doubtful, message_id,
    error_code)
SELECT campaign, row, attempts, owner, begun_at, is_released, message_id, error_code
FROM message WHERE campaign = ? AND row = ?;

-- earlier --
-- Read an attempt that another one followed.
SELECT owner, message_id, error_code FROM earlier_attempt
WHERE campaign = ? AND row = ? AND number = ?;

-- earlier_by_id --
-- Find an attempt that another one followed, by the provider's id.
SELECT campaign, row, number FROM earlier_attempt WHERE message_id = ?
ORDER BY campaign, row, number LIMIT 1;

-- set_earlier_id --
-- Remember the provider's id of an attempt that another one followed.
UPDATE earlier_attempt SET message_id = ?
WHERE campaign = ? AND row = ? AND number = ? AND message_id IS NULL;

-- earlier_failures --
-- List what the attempts of a campaign failed with that another one followed.
SELECT row, error_code FROM earlier_attempt WHERE campaign = ? AND error_code IS NOT NULL;

-- row_of_key --
-- Find the row of a campaign that has a key.
SELECT row FROM message WHERE campaign = ? AND key = ?;

-- add_cancelled --
-- Record a message that is refused before its first attempt.
INSERT INTO message (campaign, row, shard, key, state, attempts, error, final_at)
VALUES (?, ?, ?, ?, ?, 0, ?, ?);

-- message --
-- Read a message of a campaign.
SELECT row, key, state, attempts, message_id, http_status, error_code, error, accepted_at, final_at,
    segments_billed, carrier, earlier_micros, campaign, shard, owner, segments, cost_micros,
    is_released, purse, group_row, recipient
FROM message WHERE campaign = ? AND row = ?;

-- message_of_run --
-- Read a message of the campaign whose tags begin with a run.
SELECT row, key, state, attempts, message_id, http_status, error_code, error, accepted_at, final_at,
    segments_billed, carrier, earlier_micros, campaign, shard, owner, segments, cost_micros,
    is_released, purse, group_row, recipient
FROM message WHERE campaign = (SELECT id FROM campaign WHERE run = ?) AND row = ?;

-- message_by_id --
-- Find a message by the provider's id; of a group the row of its attempts.
SELECT campaign, coalesce(group_row, row), attempts FROM message WHERE message_id = ?
ORDER BY campaign, row LIMIT 1;

-- change_message --
-- Write what became of a message that is still what it was when it was read.
UPDATE message SET state = ?, message_id = ?, http_status = ?, error_code = ?, error = ?,
    accepted_at = ?, final_at = ?, segments_billed = ?, carrier = ?, is_released = ?
WHERE campaign = ? AND row = ? AND state = ?;

-- rate --
-- Read an account's rate, and how far it is given away.
SELECT rate, tat, step FROM account WHERE account = ?;

-- set_rate --
-- Write how far an account's rate is given away.
INSERT INTO account (account, rate, tat, step) VALUES (?, ?, ?, ?)
ON CONFLICT (account) DO UPDATE SET rate = excluded.rate, tat = excluded.tat, step = excluded.step;

-- purse --
-- Find where the money of what a campaign begins on a day is counted.
SELECT id FROM purse WHERE campaign = ? AND account = ? AND day = ?;

-- add_purse --
-- Begin to count the money of a campaign on a new day.
INSERT INTO purse (campaign, account, day) VALUES (?, ?, ?) RETURNING id;

-- spend --
-- Count money: reserved by open attempts, by doubts, and spent.
UPDATE purse SET sending = sending + ?, in_doubt = in_doubt + ?, spent = spent + ? WHERE id = ?;

-- spent_by_campaign --
-- Add up the days of a campaign.
SELECT coalesce(sum(sending), 0), coalesce(sum(in_doubt), 0), coalesce(sum(spent), 0)
FROM purse WHERE campaign = ?;

-- spent_on_day --
-- Add up an account's campaigns on a day, those of the same currency as this one.
SELECT coalesce(sum(sending), 0), coalesce(sum(in_doubt), 0), coalesce(sum(spent), 0)
FROM purse JOIN campaign ON campaign.id = purse.campaign
WHERE account = ? AND day = ? AND currency = (SELECT currency FROM campaign WHERE id = ?);

-- keep_receipt --
-- Keep a receipt as it came, once.
INSERT INTO receipt (digest, kind, message_id, recipient, time, tag, error_code, description,
    carrier, segments_billed, raw, came_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- kept_receipts --
-- Find the receipts of a message id that nobody could match yet, in the order they came.
SELECT kind, message_id, recipient, time, tag, error_code, description, carrier, segments_billed
FROM receipt WHERE message_id = ? AND row IS NULL ORDER BY id;

-- match_receipts --
-- Remember which message the receipts of a message id belong to.
UPDATE receipt SET campaign = ?, row = ? WHERE message_id = ? AND row IS NULL;

-- add_event --
-- Record what a person decided about a message, or (row 0) about a campaign.
INSERT INTO event (campaign, row, kind, "by", because, at) VALUES (?, ?, ?, ?, ?, ?);

-- events --
-- List what people decided about a campaign.
SELECT row, kind, "by", because, at FROM event WHERE campaign = ? ORDER BY id;

-- failed --
-- List the failed messages of a campaign that nobody says are delivered, and none about whose doubt
-- an operator decided. Of a group somebody may have it.
SELECT row, error_code FROM message
WHERE campaign = ?1 AND state = 'failed' AND group_row IS NULL
    AND row NOT IN (
        SELECT row FROM receipt
        WHERE campaign = ?1 AND row IS NOT NULL AND kind = 'message-delivered')
    AND row NOT IN (
        SELECT row FROM event WHERE campaign = ?1 AND kind IN ('release', 'write_off'));

-- pause --
-- Ask that a campaign is not sent, unless somebody did.
INSERT INTO pause (campaign, "by", because, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- resume --
-- Let a paused campaign be sent.
DELETE FROM pause WHERE campaign = ?;

-- paused --
-- Read the pause that a campaign is in.
SELECT "by", because, at FROM pause WHERE campaign = (SELECT id FROM campaign WHERE name = ?);

-- tally --
-- Count the tried messages of a campaign by state.
SELECT state, count(*) FROM message WHERE campaign = ? GROUP BY state;

-- page --
-- Read the next tried messages of a campaign, by row.
SELECT row, key, state, attempts, message_id, http_status, error_code, error, accepted_at, final_at,
    segments_billed, carrier, earlier_micros
FROM message WHERE campaign = ? AND row > ? ORDER BY row LIMIT ?;

-- doubts --
-- Find the attempts of which nobody knows what they came to: the earlier ones whose doubt was
-- released, and the latest. One statement, so that no attempt is begun between the two. An open one
-- lies in an open shard; CROSS makes SQLite begin with those.
SELECT name, shard, message.row, attempts, state, earlier_attempt.begun_at, number
FROM earlier_attempt
JOIN message ON message.campaign = earlier_attempt.campaign AND message.row = earlier_attempt.row
JOIN campaign ON campaign.id = message.campaign
WHERE is_doubtful = 1
UNION ALL
SELECT name, shard, row, attempts, state, begun_at, attempts
FROM (
    SELECT * FROM message WHERE state = 'in_doubt'
    UNION SELECT * FROM message WHERE state = 'written_off'
    UNION SELECT * FROM message
    WHERE is_released = 1 AND state NOT IN ('accepted', 'delivered', 'failed')
    UNION SELECT message.* FROM shard CROSS JOIN message USING (campaign, shard)
    WHERE shard.state = 'open' AND message.state = 'sending') doubtful
JOIN campaign ON campaign.id = doubtful.campaign
WHERE coalesce(group_row, row) = row
ORDER BY name, row, number;

-- explain --
-- Claim an id for a message, unless it is another message's own; a claim that exists stays.
INSERT INTO explained (message_id, campaign, row, how)
SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (
    SELECT 1 FROM message
    WHERE message_id = ?1 AND NOT (campaign = ?2 AND coalesce(group_row, row) = ?3))
ON CONFLICT DO NOTHING;

-- claim --
-- Find whose an id was claimed to be.
SELECT campaign, row FROM explained WHERE message_id = ?;

-- is_foreign --
-- Ask whether a text was told under a tag that no message of ours has.
SELECT 1 FROM receipt WHERE message_id = ? AND row IS NULL AND tag <> '' LIMIT 1;

-- note --
-- Keep why a doubt could not be settled; the latest look counts.
INSERT INTO evidence (campaign, row, looked_at, candidates, rivals)
SELECT campaign, row, ?3, ?4, ?5 FROM message WHERE campaign = ?1 AND row = ?2
ON CONFLICT (campaign, row) DO UPDATE SET looked_at = excluded.looked_at,
    candidates = excluded.candidates, rivals = excluded.rivals;

-- evidence --
-- Read what was noted of the messages that are still in doubt.
SELECT row, looked_at, candidates, rivals FROM evidence JOIN message USING (campaign, row)
WHERE campaign = ? AND state = 'in_doubt' ORDER BY row;

-- forget_evidence --
-- What was noted of a doubt says nothing of the attempt that follows.
DELETE FROM evidence WHERE campaign = ? AND row = ?;

-- last_attempt --
-- Find when the last attempt of a campaign was begun.
SELECT max(coalesce(begun_at, accepted_at)) FROM message WHERE campaign = ?;

-- silent --
-- Count the accepted messages that the provider took before a moment.
SELECT count(*) FROM message WHERE campaign = ? AND state = 'accepted' AND accepted_at <= ?;
