/// The tables, by numbered steps that only go forward, each in a transaction of its own.
enum PostgresSchema {
    static let migrations: [(name: String, sql: String)] = [
        (
            "people, items, words, events",
            """
            CREATE TABLE people (
                number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT COLLATE "C" NOT NULL UNIQUE,
                revision BIGINT NOT NULL
            );
            -- Another one for each change of what is stored of a person: what a process remembers is checked by it.
            CREATE SEQUENCE revisions;
            CREATE TABLE items (
                number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT COLLATE "C" NOT NULL UNIQUE
            );
            -- Lists of topics and types of events: longer than an index takes, so known by their hashes.
            CREATE TABLE words (
                number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hash BYTEA NOT NULL UNIQUE, text TEXT NOT NULL
            );
            CREATE TABLE events (
                person BIGINT NOT NULL, time BIGINT NOT NULL, key BYTEA NOT NULL UNIQUE, item BIGINT NOT NULL,
                topics BIGINT, type BIGINT, duration FLOAT8, weight FLOAT8, sum BIGINT NOT NULL,
                PRIMARY KEY (person, time, key)
            );
            -- In parts, so that two who write do not wait for one another.
            CREATE TABLE counters (name TEXT, part BIGINT, value BIGINT NOT NULL, PRIMARY KEY (name, part));
            """
        ),
        (
            "keys, labels, models",
            """
            CREATE TABLE api_keys (
                prefix TEXT PRIMARY KEY, hash BYTEA NOT NULL, role TEXT NOT NULL, name TEXT NOT NULL,
                created BIGINT NOT NULL
            );
            CREATE TABLE labels (task TEXT, label TEXT, version TEXT NOT NULL, PRIMARY KEY (task, label));
            CREATE TABLE model_files (version TEXT, name TEXT, bytes BYTEA NOT NULL, PRIMARY KEY (version, name));
            """
        ),
        (
            "reports",
            """
            CREATE TABLE reports (
                number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind TEXT NOT NULL, time BIGINT NOT NULL,
                body TEXT NOT NULL
            );
            CREATE INDEX reports_by_kind ON reports (kind, time);
            """
        ),
        // Of those who were there before nothing is known, and they are trusted.
        ("arrivals", "ALTER TABLE people ADD COLUMN arrived BIGINT NOT NULL DEFAULT 0;"),
        (
            "what is said of items",
            """
            CREATE TABLE item_facts (item BIGINT PRIMARY KEY, topics BIGINT, available BIGINT NOT NULL);
            CREATE INDEX unavailable_items ON item_facts (item) WHERE available = 0;
            """
        ),
        (
            "places in streams",
            "CREATE TABLE stream_places (stream TEXT, part BIGINT, next BIGINT NOT NULL, PRIMARY KEY (stream, part));"
        ),
    ]

    /// Any number that is ours: who migrates holds it.
    private static let lock: Int64 = 0x7761_6E65

    /// - Throws: ``StoreError/newer(path:)`` for what a later version wrote.
    static func migrate(_ connection: PostgresConnection) throws {
        try connection.transaction {
            try connection.query("SELECT pg_advisory_xact_lock($1)", [.int(lock)])
            try connection.script(
                """
                CREATE SCHEMA IF NOT EXISTS wane;
                CREATE TABLE IF NOT EXISTS wane.migrations (
                    number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied TIMESTAMPTZ NOT NULL DEFAULT now()
                );
                """)
        }
        for (place, migration) in migrations.enumerated() {
            try connection.transaction {
                try connection.query("SELECT pg_advisory_xact_lock($1)", [.int(lock)])
                let done = try connection.query("SELECT max(number) FROM migrations").int(0, 0) ?? 0
                guard done <= migrations.count else { throw StoreError.newer(path: connection.place) }
                guard done == place else { return }
                try connection.script(migration.sql)
                try connection.query(
                    "INSERT INTO migrations (number, name) VALUES ($1, $2)",
                    [.int(Int64(place + 1)), .text(migration.name)])
            }
        }
    }
}
