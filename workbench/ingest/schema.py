"""The ledger's SQLite schema as numbered migrations: a file made by an earlier version is brought up to date."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        pipeline TEXT NOT NULL,
        table_name TEXT NOT NULL,
        status TEXT NOT NULL,
        message TEXT NOT NULL,
        started_at_utc TEXT NOT NULL,
        ended_at_utc TEXT,
        figures TEXT NOT NULL
    ) STRICT;
    CREATE INDEX runs_by_pipeline ON runs (pipeline, id);

    CREATE TABLE timings (
        run_id INTEGER NOT NULL,
        stage TEXT NOT NULL,
        seconds REAL NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (run_id, stage)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE attempts (
        run_id INTEGER NOT NULL,
        source TEXT NOT NULL,
        item_id TEXT NOT NULL,
        action TEXT NOT NULL,
        outcome TEXT NOT NULL,
        chunks INTEGER NOT NULL,
        seconds REAL NOT NULL,
        message TEXT NOT NULL
    ) STRICT;
    CREATE INDEX attempts_by_run ON attempts (run_id);

    CREATE TABLE items (
        pipeline TEXT NOT NULL,
        source TEXT NOT NULL,
        item_id TEXT NOT NULL,
        document_id TEXT NOT NULL,
        version TEXT NOT NULL,
        validator TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        name TEXT NOT NULL,
        uri TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        about TEXT NOT NULL,
        read_at_utc TEXT NOT NULL,
        PRIMARY KEY (pipeline, source, item_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE states (
        pipeline TEXT NOT NULL,
        table_name TEXT NOT NULL,
        document_id TEXT NOT NULL,
        source TEXT NOT NULL,
        item_id TEXT NOT NULL,
        status TEXT NOT NULL,
        recipe TEXT NOT NULL,
        state_key TEXT NOT NULL,
        parse_key TEXT NOT NULL,
        uri TEXT NOT NULL,
        chunk_count INTEGER NOT NULL,
        token_count INTEGER NOT NULL,
        PRIMARY KEY (pipeline, table_name, document_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE failures (
        pipeline TEXT NOT NULL,
        source TEXT NOT NULL,
        item_id TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        recipe TEXT NOT NULL,
        stage TEXT NOT NULL,
        kind TEXT NOT NULL,
        message TEXT NOT NULL,
        retryable INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        first_at_utc TEXT NOT NULL,
        last_at_utc TEXT NOT NULL,
        next_try_utc TEXT,
        run_id INTEGER NOT NULL,
        PRIMARY KEY (pipeline, source, item_id)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE releases (
        id INTEGER PRIMARY KEY,
        pipeline TEXT NOT NULL,
        table_name TEXT NOT NULL,
        config TEXT NOT NULL,
        model_title TEXT NOT NULL,
        created_at_utc TEXT NOT NULL,
        gate TEXT NOT NULL,
        forced INTEGER NOT NULL,
        previous_id INTEGER
    ) STRICT;
    CREATE INDEX releases_by_pipeline ON releases (pipeline, id);

    CREATE TABLE pointers (
        pipeline TEXT PRIMARY KEY,
        release_id INTEGER NOT NULL,
        since_utc TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE switches (
        id INTEGER PRIMARY KEY,
        pipeline TEXT NOT NULL,
        at_utc TEXT NOT NULL,
        action TEXT NOT NULL,
        from_id INTEGER,
        to_id INTEGER NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE cursors (
        pipeline TEXT NOT NULL,
        source TEXT NOT NULL,
        settings TEXT NOT NULL,
        cursor TEXT NOT NULL,
        at_utc TEXT NOT NULL,
        PRIMARY KEY (pipeline, source)
    ) STRICT, WITHOUT ROWID;
    """,
    "ALTER TABLE runs ADD COLUMN complete_sources TEXT",
    """
    CREATE TABLE failures_by_table (
        pipeline TEXT NOT NULL,
        table_name TEXT NOT NULL,
        source TEXT NOT NULL,
        item_id TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        recipe TEXT NOT NULL,
        stage TEXT NOT NULL,
        kind TEXT NOT NULL,
        message TEXT NOT NULL,
        retryable INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        first_at_utc TEXT NOT NULL,
        last_at_utc TEXT NOT NULL,
        next_try_utc TEXT,
        run_id INTEGER NOT NULL,
        PRIMARY KEY (pipeline, table_name, source, item_id)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO failures_by_table
        SELECT pipeline,
            coalesce((SELECT table_name FROM runs WHERE runs.id = failures.run_id), ''),
            source, item_id, name, version, recipe, stage, kind, message, retryable, attempts,
            first_at_utc, last_at_utc, next_try_utc, run_id
        FROM failures;
    DROP TABLE failures;
    ALTER TABLE failures_by_table RENAME TO failures;
    """,
    """
    CREATE TABLE known_counts (
        pipeline TEXT NOT NULL,
        source TEXT NOT NULL,
        day TEXT NOT NULL,
        known INTEGER NOT NULL,
        PRIMARY KEY (pipeline, source, day)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE unlisted (
        pipeline TEXT NOT NULL,
        source TEXT NOT NULL,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        message TEXT NOT NULL,
        items INTEGER NOT NULL,
        hides INTEGER NOT NULL,
        first_at_utc TEXT NOT NULL,
        last_at_utc TEXT NOT NULL,
        run_id INTEGER NOT NULL,
        PRIMARY KEY (pipeline, source, number)
    ) STRICT, WITHOUT ROWID;
    """,
    "ALTER TABLE releases ADD COLUMN price_per_million_tokens REAL",
    "ALTER TABLE states ADD COLUMN partly_read TEXT NOT NULL DEFAULT ''",
)
"""Number n brings version n to version n + 1. Never edit one that was released: add another."""
