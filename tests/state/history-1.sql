-- A history as version 1 wrote it.
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

INSERT INTO states VALUES ('gateway', '{"version":1}');
INSERT INTO incidents VALUES ('gateway', 3, 1000, 43000, 42000, 'gone', 1,
  '{"id":3,"began":1000,"ended":43000,"duration":42000,"verdict":"gone","exit":null,"attempts":1}');
INSERT INTO alerts VALUES (1, 'gateway', 3, 'down', 1000, 1001, '{}');
INSERT INTO deliveries VALUES (1, 1, 'discord', 'new', 'waiting', 1001, 0, 0, NULL, NULL, NULL, NULL);
INSERT INTO channels VALUES ('discord', '{}');
PRAGMA user_version = 1;
