"""The schema of ``workspace.db`` as numbered migrations: a file made by an earlier version is brought up to date."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    # "If not exists", because files from before migrations were numbered hold all of this.
    """
    CREATE TABLE IF NOT EXISTS documents (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        uri TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        stored_hash TEXT NOT NULL,
        suffix TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        title TEXT NOT NULL,
        page_count INTEGER NOT NULL,
        character_count INTEGER NOT NULL,
        empty_pages TEXT NOT NULL,
        failed_pages TEXT NOT NULL,
        warnings TEXT NOT NULL,
        added_at_utc TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS documents_by_content ON documents (content_hash);
    CREATE TABLE IF NOT EXISTS rates (
        model_id TEXT PRIMARY KEY,
        tokens INTEGER NOT NULL,
        seconds REAL NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE copies (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        uri TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        suffix TEXT NOT NULL
    ) STRICT;
    CREATE INDEX copies_by_content ON copies (content_hash);
    """,
    """
    ALTER TABLE documents ADD COLUMN letters_kept INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE documents ADD COLUMN letters_on_page INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE documents ADD COLUMN short_pages TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE documents ADD COLUMN incomplete TEXT NOT NULL DEFAULT '';
    CREATE INDEX documents_by_uri ON documents (uri);
    CREATE INDEX copies_by_uri ON copies (uri);
    """,
    # "If not exists", because earlier versions made this table when it was first needed.
    """
    CREATE TABLE IF NOT EXISTS states (
        table_name TEXT NOT NULL,
        document_id TEXT NOT NULL,
        method TEXT NOT NULL,
        parse_key TEXT NOT NULL,
        state TEXT NOT NULL,
        PRIMARY KEY (table_name, document_id)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE IF NOT EXISTS stores (
        area TEXT NOT NULL,
        key TEXT NOT NULL,
        plugin TEXT NOT NULL,
        title TEXT NOT NULL,
        settings TEXT NOT NULL,
        used_at_utc TEXT NOT NULL,
        PRIMARY KEY (area, key)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS store_tables (
        area TEXT NOT NULL,
        store_key TEXT NOT NULL,
        name TEXT NOT NULL,
        about TEXT NOT NULL,
        version TEXT NOT NULL,
        row_count INTEGER NOT NULL,
        document_count INTEGER NOT NULL,
        PRIMARY KEY (area, store_key, name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS due_deletions (
        area TEXT NOT NULL,
        store_key TEXT NOT NULL,
        document_id TEXT NOT NULL,
        document_name TEXT NOT NULL,
        reason TEXT NOT NULL,
        since_utc TEXT NOT NULL,
        PRIMARY KEY (area, store_key, document_id)
    ) STRICT, WITHOUT ROWID;
    """,
)
