-- A history as version 2 wrote it.
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO facts VALUES ('name', '0123abcd');

-- The core's state of each gateway, as JSON with its own version.
CREATE TABLE states (gateway TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Incidents, the lasting ones too. Times are Unix milliseconds.
CREATE TABLE incidents (
  gateway TEXT NOT NULL, id INTEGER NOT NULL, began INTEGER NOT NULL, ended INTEGER,
  duration INTEGER NOT NULL, verdict TEXT NOT NULL, attempts INTEGER NOT NULL, record TEXT NOT NULL,
  PRIMARY KEY (gateway, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
  id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, incident INTEGER, kind TEXT NOT NULL, happened INTEGER NOT NULL,
  recorded INTEGER NOT NULL, record TEXT NOT NULL
) STRICT;

-- What one channel has to tell, or has told. `claimed`: a request is, or was, on its way and its end is not known.
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY, alert INTEGER NOT NULL REFERENCES alerts (id) ON DELETE CASCADE, channel TEXT NOT NULL,
  form TEXT NOT NULL, status TEXT NOT NULL, queued INTEGER NOT NULL, folded INTEGER NOT NULL, attempts INTEGER NOT NULL,
  claimed INTEGER, settled INTEGER, problem TEXT, reference TEXT
) STRICT;
CREATE INDEX deliveries_of_channel ON deliveries (channel, status);
CREATE INDEX deliveries_of_alert ON deliveries (alert);

-- What each channel remembers for its routing, as JSON.
CREATE TABLE channels (channel TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX incidents_by_time ON incidents (gateway, began);
CREATE INDEX alerts_of_incident ON alerts (gateway, incident);

-- One look each: the state that lasted until then and for how long it had been watched, in milliseconds, and what was
-- measured. `up`: 1 it answered, 0 it ought to have, NULL neither. Latency in microseconds, memory in bytes,
-- processor in cores.
CREATE TABLE samples (
  gateway TEXT NOT NULL, at INTEGER NOT NULL, spent INTEGER NOT NULL, health TEXT NOT NULL, up INTEGER,
  latency INTEGER, memory INTEGER, processor REAL, files INTEGER,
  PRIMARY KEY (gateway, at)
) STRICT, WITHOUT ROWID;

-- The samples of a stretch of five minutes or an hour, taken together.
CREATE TABLE stretches (
  gateway TEXT NOT NULL, length INTEGER NOT NULL, began INTEGER NOT NULL, up INTEGER NOT NULL, down INTEGER NOT NULL,
  latency_least INTEGER, latency_mean INTEGER, latency_most INTEGER,
  memory_least INTEGER, memory_mean INTEGER, memory_most INTEGER,
  processor_least REAL, processor_mean REAL, processor_most REAL,
  files_least INTEGER, files_mean INTEGER, files_most INTEGER,
  PRIMARY KEY (gateway, length, began)
) STRICT, WITHOUT ROWID;

-- How much of a stretch was spent in each state.
CREATE TABLE shares (
  gateway TEXT NOT NULL, length INTEGER NOT NULL, began INTEGER NOT NULL, health TEXT NOT NULL, spent INTEGER NOT NULL,
  PRIMARY KEY (gateway, length, began, health)
) STRICT, WITHOUT ROWID;

-- What happened in an incident, one thing after the other.
CREATE TABLE timeline (
  id INTEGER PRIMARY KEY, gateway TEXT NOT NULL, incident INTEGER NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX timeline_of_incident ON timeline (gateway, incident);

-- Every attempt, those that a person asked for too. No outcome: it is running.
CREATE TABLE heals (
  gateway TEXT NOT NULL, id INTEGER NOT NULL, incident INTEGER, rung TEXT NOT NULL, asked INTEGER NOT NULL,
  verdict TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER, outcome TEXT,
  PRIMARY KEY (gateway, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX heals_by_time ON heals (gateway, began);

INSERT INTO states VALUES ('gateway', '{"version":1}');
INSERT INTO incidents VALUES ('gateway', 3, 1000, 43000, 42000, 'gone', 1,
  '{"id":3,"began":1000,"ended":43000,"duration":42000,"verdict":"gone","exit":null,"attempts":1}');
INSERT INTO alerts VALUES (1, 'gateway', 3, 'down', 1000, 1001, '{}');
INSERT INTO deliveries VALUES (1, 1, 'discord', 'new', 'waiting', 1001, 0, 0, NULL, NULL, NULL, NULL);
INSERT INTO channels VALUES ('discord', '{}');
INSERT INTO samples VALUES ('gateway', 1700000000000, 10000, 'healthy', 1, 412, 190000000, 0.02, 31);
INSERT INTO samples VALUES ('gateway', 1700000010000, 10000, 'down', 0, NULL, NULL, NULL, NULL);
INSERT INTO stretches VALUES ('gateway', 300000, 1699999800000, 10000, 10000, 412, 412, 412,
  190000000, 190000000, 190000000, 0.02, 0.02, 0.02, 31, 31, 31);
INSERT INTO shares VALUES ('gateway', 300000, 1699999800000, 'down', 10000);
INSERT INTO shares VALUES ('gateway', 300000, 1699999800000, 'healthy', 10000);
INSERT INTO timeline VALUES (1, 'gateway', 3, 1000, 'observed', '{"what":"observed","verdict":"gone"}');
INSERT INTO timeline VALUES (2, 'gateway', 3, 1000, 'heal_began',
  '{"what":"heal_began","heal":1,"rung":"start","attempt":1,"asked":false}');
INSERT INTO timeline VALUES (3, 'gateway', 3, 43000, 'over', '{"what":"over","downtime":42000}');
INSERT INTO heals VALUES ('gateway', 1, 3, 'start', 0, 'gone', 1000, 9000, 'restarted');
PRAGMA user_version = 2;
