"""What each family of plug-ins promises: Source, Parser, Chunker, Embedder, VectorStore, Retriever.

A plug-in is a frozen pydantic model whose fields are its settings, each with bounds and a description: that one
line feeds the YAML check, the form and the fingerprint. Its file name is its name everywhere. The base classes
here do what must never differ between plug-ins (slicing, checking, keys); a plug-in only computes.
"""

from workbench.contracts.asked import Asked
from workbench.contracts.chunker import Chunker, chunk_id
from workbench.contracts.embedder import (
    Compute,
    Embedder,
    EmbeddingModel,
    KeptVectors,
    NothingKept,
    Passage,
    checked_vectors,
)
from workbench.contracts.parser import Parser
from workbench.contracts.plugin import Plugin, Tick, no_tick
from workbench.contracts.retriever import Retriever
from workbench.contracts.source import Fault, ItemPage, Listing, Source, SourceAccess, SourceConnection
from workbench.contracts.store import (
    ChunkPlace,
    DocumentRows,
    Filter,
    StoreConnection,
    Table,
    TableInfo,
    TableRows,
    VectorStore,
)

__all__ = [
    "Asked",
    "ChunkPlace",
    "Chunker",
    "Compute",
    "DocumentRows",
    "Embedder",
    "EmbeddingModel",
    "Fault",
    "Filter",
    "ItemPage",
    "KeptVectors",
    "Listing",
    "NothingKept",
    "Parser",
    "Passage",
    "Plugin",
    "Retriever",
    "Source",
    "SourceAccess",
    "SourceConnection",
    "StoreConnection",
    "Table",
    "TableInfo",
    "TableRows",
    "Tick",
    "VectorStore",
    "checked_vectors",
    "chunk_id",
    "no_tick",
]
