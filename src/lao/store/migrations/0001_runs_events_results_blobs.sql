-- SPDX-License-Identifier: Apache-2.0
-- Runs and their events, results by key, and which blobs either of them holds.
-- Times are seconds since 1970: they are shown, and decide nothing but what is old.

CREATE TABLE run (
  row      INTEGER PRIMARY KEY AUTOINCREMENT,  -- also the byte of its lock
  number   INTEGER UNIQUE,                     -- what people call it; items have none
  id       TEXT NOT NULL UNIQUE,
  kind     TEXT NOT NULL CHECK (kind IN ('run', 'batch', 'item')),
  batch    INTEGER REFERENCES run (row) ON DELETE CASCADE,
  position INTEGER NOT NULL DEFAULT 0,         -- of an item, from 1
  key      TEXT NOT NULL DEFAULT '',           -- of an item: which input it is
  output   TEXT NOT NULL DEFAULT '',           -- of an item: the file it makes
  workflow TEXT NOT NULL,
  source   TEXT NOT NULL,                      -- a file, or the words of a chain
  started  REAL NOT NULL,
  ended    REAL,
  seconds  REAL NOT NULL DEFAULT 0,            -- that it was carried out, in all parts
  steps    INTEGER,                            -- of its plan
  done     INTEGER,                            -- of them, when it ended
  status   TEXT NOT NULL DEFAULT 'running'
           CHECK (status IN ('running', 'done', 'failed', 'cancelled')),
  CHECK ((kind = 'item') = (batch IS NOT NULL)),
  CHECK ((kind = 'item') = (number IS NULL))
);
CREATE UNIQUE INDEX item_by_position ON run (batch, position) WHERE batch IS NOT NULL;
CREATE INDEX item_by_key ON run (batch, key) WHERE batch IS NOT NULL;
CREATE INDEX item_by_output ON run (batch, output) WHERE output <> '';

CREATE TABLE next_number (value INTEGER NOT NULL);  -- never given twice
INSERT INTO next_number VALUES (1);

CREATE TABLE run_detail (                      -- JSON, apart: lists of runs stay short
  run    INTEGER PRIMARY KEY REFERENCES run (row) ON DELETE CASCADE,
  plan   TEXT NOT NULL,                        -- what a resume needs, or null
  inputs TEXT NOT NULL,
  files  TEXT NOT NULL                         -- path of an input file -> its SHA-256
);

CREATE TABLE event (
  run      INTEGER NOT NULL REFERENCES run (row) ON DELETE CASCADE,
  sequence INTEGER NOT NULL CHECK (sequence > 0),
  time     REAL NOT NULL,
  kind     TEXT NOT NULL,
  result   TEXT NOT NULL,                      -- the key of the result it tells, or ''
  body     TEXT NOT NULL,                      -- JSON: the fact's own fields
  PRIMARY KEY (run, sequence)
) WITHOUT ROWID;

CREATE TABLE result (
  key  TEXT PRIMARY KEY,
  size INTEGER NOT NULL,                       -- bytes, its blobs included
  used REAL NOT NULL,
  body TEXT NOT NULL                           -- JSON: the value and what made it
) WITHOUT ROWID;

CREATE TABLE run_blob (
  run    INTEGER NOT NULL REFERENCES run (row) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  size   INTEGER NOT NULL,
  PRIMARY KEY (run, digest)
) WITHOUT ROWID;
CREATE INDEX run_blob_by_digest ON run_blob (digest);

CREATE TABLE result_blob (
  result TEXT NOT NULL REFERENCES result (key) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  size   INTEGER NOT NULL,
  PRIMARY KEY (result, digest)
) WITHOUT ROWID;
CREATE INDEX result_blob_by_digest ON result_blob (digest);
