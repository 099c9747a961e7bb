import GRDB

/// The tables, by numbered steps that only go forward, each in a transaction of its own.
enum SQLiteSchema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: people, items, words, events") { db in
            try db.execute(
                sql: """
                    CREATE TABLE people (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
                    CREATE TABLE items (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
                    -- Lists of topics and types of events.
                    CREATE TABLE words (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
                    -- A person's events lie together, so that a state is folded from few pages.
                    CREATE TABLE events (
                        person INTEGER NOT NULL, time INTEGER NOT NULL, key BLOB NOT NULL, item INTEGER NOT NULL,
                        topics INTEGER, type INTEGER, duration REAL, weight REAL, sum INTEGER NOT NULL,
                        PRIMARY KEY (person, time, key)
                    ) STRICT, WITHOUT ROWID;
                    CREATE UNIQUE INDEX events_by_key ON events (key);
                    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
                    INSERT INTO counters VALUES ('events', 0);
                    """)
        }
        migrator.registerMigration("2: keys, labels") { db in
            try db.execute(
                sql: """
                    CREATE TABLE api_keys (
                        prefix TEXT PRIMARY KEY, hash BLOB NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL,
                        created INTEGER NOT NULL
                    ) STRICT, WITHOUT ROWID;
                    CREATE TABLE labels (
                        task TEXT NOT NULL, label TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (task, label)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        migrator.registerMigration("3: reports") { db in
            try db.execute(
                sql: """
                    CREATE TABLE reports (kind TEXT NOT NULL, time INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
                    CREATE INDEX reports_by_kind ON reports (kind, time);
                    """)
        }
        migrator.registerMigration("4: arrivals") { db in
            // Of those who were there before nothing is known, and they are trusted.
            try db.execute(sql: "ALTER TABLE people ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0")
        }
        migrator.registerMigration("5: what is said of items") { db in
            try db.execute(
                sql: """
                    CREATE TABLE item_facts (
                        item INTEGER PRIMARY KEY, topics INTEGER, available INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX unavailable_items ON item_facts (item) WHERE available = 0;
                    """)
        }
        migrator.registerMigration("6: places in streams") { db in
            try db.execute(
                sql: """
                    CREATE TABLE stream_places (
                        stream TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (stream, part)
                    ) STRICT, WITHOUT ROWID;
                    """)
        }
        return migrator
    }
}
