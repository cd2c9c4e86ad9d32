"""The YAML config: read, check, write, fingerprint, table name.

Reading names every problem at once with its line and key. Writing is canonical: export → import → export gives
the same bytes, the comment at the head included.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from workbench import plugins
from workbench.contracts import Chunker, Embedder, Parser, Plugin, Retriever, Source, VectorStore
from workbench.contracts.plugin import secret_problem
from workbench.counts import counted
from workbench.errors import ConfigError, SettingsError
from workbench.records import digest
from workbench.secrets import WRITE_A_REFERENCE, is_reference, missing, not_set, references, sounds_secret
from workbench.sections import SECTIONS as PIPELINE_SECTIONS
from workbench.sections import Budget, Deletes, Evaluate, Failures, Release, Schedule, Section

CONFIG_VERSION = 1
LARGEST_CONFIG_CHARACTERS = 200_000
DEEPEST = 50
MAX_NUMBER_CHARACTERS = 100
"""Longer ones stay text: Python computes with them for long, and refuses to write those of thousands of digits."""
MAX_PROBLEMS, MAX_PROBLEM_CHARACTERS = 20, 500
SECTIONS = {
    "parser": "parsers",
    "chunker": "chunkers",
    "embedder": "embedders",
    "store": "stores",
    "retriever": "retrievers",
}
DEFAULTS = {"parser": "pdf", "store": "lancedb", "retriever": "nearest"}
KEYS = ("version", "name", *SECTIONS, "sources", *PIPELINE_SECTIONS)
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,79}")


@dataclass(frozen=True)
class Config:
    """One experiment: how documents are parsed, cut, embedded, kept and searched."""

    name: str
    chunker: Chunker
    embedder: Embedder
    parser: Parser = field(default_factory=lambda: plugins.build("parsers", "pdf"))
    store: VectorStore = field(default_factory=lambda: plugins.build("stores", "lancedb"))
    retriever: Retriever = field(default_factory=lambda: plugins.build("retrievers", "nearest"))
    comment: str = ""
    """Free text at the head of the file, one line each without ``#``: what was measured, when, on what."""
    sources: tuple[Source, ...] = ()
    """Where the pipeline takes its documents from. Like all that follows, no part of what a table is."""
    deletes: Deletes | None = None
    failures: Failures | None = None
    budget: Budget | None = None
    evaluate: Evaluate | None = None
    release: Release | None = None
    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise SettingsError(
                f"name ({self.name!r:.60}) must be 1 to 80 letters, digits, blanks or . _ + - and start with a letter or digit"
            )

    @property
    def fingerprint(self) -> str:
        """32 hex digits over everything that decides what is in the table: parser, chunker, embedder."""
        return digest([self.parser.identity(), self.chunker.identity(), self.embedder.identity()])

    @property
    def table_name(self) -> str:
        """The one physical table of this (parser, chunker, embedder); names and retrievers share it."""
        return f"{self.chunker.name}__{self.embedder.name}__{self.fingerprint[:12]}"


def environment_names(config: Config) -> list[str]:
    """Return the variables of the environment that the config refers to, each once."""
    return list(dict.fromkeys(references(_settings_of(config))))


def check_environment(config: Config) -> None:
    """Raise ``SettingsError`` that names every variable which the config refers to and which is not set."""
    names = missing(_settings_of(config))
    if names:
        raise SettingsError(not_set(names))


def _settings_of(config: Config) -> list[dict[str, Any]]:
    used = [*(getattr(config, section) for section in SECTIONS), *config.sources]
    return [plugin.model_dump(mode="json") for plugin in used]


def written(config: Config) -> str:
    """Return the config as canonical YAML: fixed key order, every setting that has an effect spelled out."""
    # A comment may speak of files with any name; YAML takes no control characters, not even there.
    comment = yaml.reader.Reader.NON_PRINTABLE.sub("\ufffd", config.comment)
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    body: dict[str, Any] = {"version": CONFIG_VERSION, "name": config.name}
    for section in SECTIONS:
        plugin: Plugin = getattr(config, section)
        body[section] = {"name": plugin.name, **plugin.model_dump(mode="json", exclude=set(plugin.unused()))}
    if config.sources:
        body["sources"] = [{"name": one.name, **one.model_dump(mode="json")} for one in config.sources]
    for section in PIPELINE_SECTIONS:
        settings: Section | None = getattr(config, section)
        if settings is not None:
            body[section] = settings.model_dump(mode="json")
    text = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10_000)
    return "\n".join([*lines, text]) if lines else text


def parsed(text: str, origin: str = "config") -> Config:
    """Return the config in ``text``; raises ``ConfigError`` that names every problem with its line and key."""
    if len(text) > LARGEST_CONFIG_CHARACTERS:
        raise ConfigError([f"{len(text):,} characters are too many for a config"], origin)
    reader = Reader(origin)
    config = reader.config(text)
    if reader.problems or config is None:
        raise ConfigError(limit_problems(reader.problems), origin)
    return config


def limit_problems(problems: Sequence[str]) -> list[str]:
    """Return problems to be read by people: the first of very many, each cut where what it repeats has no end."""
    told = [
        one if len(one) <= MAX_PROBLEM_CHARACTERS else one[:MAX_PROBLEM_CHARACTERS] + " …"
        for one in problems[:MAX_PROBLEMS]
    ]
    left = len(problems) - len(told)
    return [*told, f"and {counted(left, 'more problem')}"] if left else told


def read_config_file(path: Path, origin: str, takes_pipe: bool = False) -> str:
    """Return the text of a file that should hold YAML; every trouble is a ``ConfigError`` that names ``origin``.

    A file that is far too large is not read to its end. A pipe, whose writer may never come, is read where somebody has
    named it (``takes_pipe``), but not where it merely lies in a folder.
    """
    try:
        if path.is_dir():
            raise ConfigError(["this is a folder, not a file"], origin)
        if not takes_pipe and path.exists() and not path.is_file():
            raise ConfigError(["this is not a file, but a pipe or a device"], origin)
        with path.open("rb") as file:
            # UTF-8 has four bytes for a character at most.
            data = file.read(4 * LARGEST_CONFIG_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        raise ConfigError([getattr(error, "strerror", None) or str(error)], origin) from error
    if len(data) > 4 * LARGEST_CONFIG_CHARACTERS:
        raise ConfigError(
            [f"this file is too large for a config: more than {LARGEST_CONFIG_CHARACTERS:,} characters"],
            origin,
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(["this is not a text file in UTF-8"], origin) from error


class _Loader(yaml.SafeLoader):
    """Builds values only: no aliases (they can unfold without end), no dates (``2024-01-01`` stays text).

    What is nested deeper than any config is refused here: every later walk through the nodes is one of functions
    that call themselves.
    """

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, "aliases (*name) are not used in configs", event.start_mark
            )
        if self._depth == DEEPEST:
            raise yaml.composer.ComposerError(
                None,
                None,
                "it is nested far too deep for a config",
                self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class Reader:
    """Walks the YAML nodes once, collecting problems instead of stopping at the first."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.problems: list[str] = []

    def root(self, text: str, shape: str) -> yaml.MappingNode | None:
        """Return the keys that ``text`` begins with; ``shape`` is the sentence for a text that has none."""
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f"line {mark.line + 1}: " if mark else ""
            self.problems.append(f"{line}this is not YAML: {_yaml_problem(error)}")
            return None
        if not isinstance(node, yaml.MappingNode):
            self.problems.append(f"line 1: {shape}")
            return None
        return node

    def config(self, text: str) -> Config | None:
        """Return the config in ``text``, None where there are problems."""
        node = self.root(text, "a config is a list of keys such as name, chunker and embedder")
        if node is None:
            return None
        nodes = self.keys(node, KEYS, "")
        for key in ("name", "chunker", "embedder"):
            if key not in nodes:
                self.problems.append(f"{key} is missing")
        self.check_version(nodes.get("version"))
        name = self.name(nodes.get("name"))
        built = {section: self.plugin(section, nodes.get(section)) for section in SECTIONS}
        built["sources"] = self.sources(nodes.get("sources"))
        built.update({name: self.section(name, nodes[name]) for name in PIPELINE_SECTIONS if name in nodes})
        if self.problems or name is None:
            return None
        return Config(name=name, comment=head_comment(text), **built)

    def keys(
        self, node: yaml.MappingNode, known: tuple[str, ...], where: str
    ) -> dict[str, tuple[int, yaml.Node]]:
        """Return key → (line, node); keys that are not ``known`` are problems, unless none are named."""
        result: dict[str, tuple[int, yaml.Node]] = {}
        for key_node, value in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(f"line {line}, {where or 'config'}: a key must be a word")
                continue
            key = str(key_node.value)
            path = f"{where}.{key}" if where else key
            if key in result:
                self.problems.append(f"line {line}, {path}: this key stands here twice")
            elif known and key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else f" (known: {', '.join(known)})"
                self.problems.append(f"line {line}, {path}: unknown key{hint}")
            else:
                result[key] = (line, value)
        return result

    def check_version(self, found: tuple[int, yaml.Node] | None) -> None:
        """Note a version that is not read here."""
        if found is None:
            return
        line, node = found
        misread = [sentence for _, sentence in misread_numbers(node)]
        if misread:
            self.problems.append(f"line {line}, version: {misread[0]}")
        elif value_of(node) != CONFIG_VERSION:
            self.problems.append(
                f"line {line}, version: {value_of(node)!r:.40} is not known; this program reads version {CONFIG_VERSION}"
            )

    def name(self, found: tuple[int, yaml.Node] | None) -> str | None:
        """Return the name, None where it cannot be one."""
        if found is None:
            return None
        line, node = found
        value = node.value if isinstance(node, yaml.ScalarNode) else None
        if isinstance(value, str) and NAME_PATTERN.fullmatch(value):
            return value
        self.problems.append(
            f"line {line}, name: must be 1 to 80 letters, digits, blanks or . _ + - and start with a letter or digit"
        )
        return None

    def plugin(self, section: str, found: tuple[int, yaml.Node] | None, label: str = "") -> Any:
        """Return the plug-in of a section, the default where none is given; messages call it ``label``."""
        family, label = SECTIONS.get(section, section), label or section
        if found is None:
            return plugins.build(family, DEFAULTS[section]) if section in DEFAULTS else None
        line, node = found
        if not isinstance(node, yaml.MappingNode):
            self.problems.append(f"line {line}, {label}: write it as {section}: {{name: …}}")
            return None
        keys = self.keys(node, (), label)
        if "name" not in keys:
            self.problems.append(
                f"line {line}, {label}.name is missing (known: {', '.join(plugins.names(family))})"
            )
            return None
        name_line, name_node = keys.pop("name")
        try:
            cls = plugins.plugin_class(family, str(value_of(name_node)))
        except SettingsError as error:
            self.problems.append(f"line {name_line}, {label}.name: {error}")
            return None
        return self._settings(cls, keys, line, label)

    def sources(self, found: tuple[int, yaml.Node] | None) -> tuple[Any, ...]:
        """Return the sources in their order; two of one place would be one source listed twice."""
        if found is None:
            return ()
        line, node = found
        if not isinstance(node, yaml.SequenceNode):
            self.problems.append(f"line {line}, sources: write them as a list, one “- name: …” each")
            return ()
        built: dict[str, Any] = {}
        for number, one in enumerate(node.value):
            at = one.start_mark.line + 1
            source = self.plugin("sources", (at, one), f"sources.{number}")
            if source is None:
                continue
            if source.key in built:
                self.problems.append(f"line {at}, sources.{number}: {source.key} stands here twice")
            built[source.key] = source
        return tuple(built.values())

    def section(self, name: str, found: tuple[int, yaml.Node]) -> Any:
        """Return the settings of a section without plug-ins, None where there are problems."""
        line, node = found
        if not isinstance(node, yaml.MappingNode):
            known = ", ".join(PIPELINE_SECTIONS[name].model_fields)
            self.problems.append(f"line {line}, {name}: write it as {name}: {{…}} (known: {known})")
            return None
        return self._settings(PIPELINE_SECTIONS[name], self.keys(node, (), name), line, name)

    def _settings(
        self, cls: type[BaseModel], keys: dict[str, tuple[int, yaml.Node]], line: int, label: str
    ) -> Any:
        settings = {key: value_of(value) for key, (_, value) in keys.items()}
        misread: set[str] = set()
        for key, (at, node) in keys.items():
            value = settings[key]
            typing_error = isinstance(value, int) and f"{key}s" in cls.model_fields
            field = cls.model_fields.get(key)
            if field is not None:
                problem = secret_problem(key, field, value)
            else:
                unknown_secret = sounds_secret(key) and not typing_error and not is_reference(value)
                problem = WRITE_A_REFERENCE if unknown_secret else ""
            if problem:
                # The value itself is never repeated: this message may be logged.
                self.problems.append(f"line {at}, {label}.{key}: {problem}")
                del settings[key]
                continue
            for number_node, sentence in misread_numbers(
                node, field is not None and _takes_text(field.annotation)
            ):
                misread.add(key)
                self.problems.append(f"line {number_node.start_mark.line + 1}, {label}.{key}: {sentence}")
        try:
            return cls(**settings)
        except ValidationError as error:
            for where, sentence in plugins.findings(error):
                top = where.partition(".")[0]
                if top in misread:
                    continue
                at = keys[top][0] if top in keys else line
                near = (
                    difflib.get_close_matches(top, list(cls.model_fields), n=1)
                    if top not in cls.model_fields
                    else []
                )
                hint = f"; did you mean {near[0]}?" if near else ""
                path = f"{label}.{where}" if where else label
                self.problems.append(f"line {at}, {path}: {sentence}{hint}")
            return None


def misread_numbers(node: yaml.Node, is_text: bool = False) -> Iterator[tuple[yaml.Node, str]]:
    """Yield every number in a node that YAML does not read as decimal, with what to write instead.

    ``is_text``: the setting is a text, so the sentence asks for quotes.
    """
    for scalar in _scalars(node):
        written = str(scalar.value)
        value = value_of(scalar)
        if scalar.style is not None or (
            isinstance(value, str) and (is_text or not _BEGINS_WITH_0.fullmatch(written))
        ):
            continue
        how = next((how for pattern, how in _NOTATIONS if pattern.fullmatch(written)), None)
        if how is None or isinstance(value, bool):
            continue
        digits = written.lstrip("+-").replace("_", "")
        if _BEGINS_WITH_0.fullmatch(written):
            plain = ("-" if written.startswith("-") else "") + (digits.lstrip("0") or "0")
            reads = f"{how}, {value}" if isinstance(value, int) else "text"
            sentence = f"{written:.40} begins with 0: YAML reads it as {reads}"
        else:
            plain = str(value)
            sentence = f"{written:.40}: YAML reads it as {how}, {value}"
        yield scalar, f'{sentence}; write "{written:.40}"' if is_text else f"{sentence}; write {plain:.40}"


_BEGINS_WITH_0 = re.compile(r"[-+]?0[0-9_]+")
_NOTATIONS = (
    (_BEGINS_WITH_0, "octal"),
    (re.compile(r"[-+]?0x[0-9a-fA-F_]+"), "hexadecimal"),
    (re.compile(r"[-+]?0b[01_]+"), "binary"),
    (re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"), "base 60"),
)
"""Numbers that are not decimal, as YAML 1.1 has them."""


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Yield the values in a node that are no lists or mappings; keys are left out."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _scalars(one)
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _scalars(value)


def _takes_text(annotation: Any) -> bool:
    return annotation is str or any(_takes_text(one) for one in get_args(annotation))


def value_of(node: yaml.Node) -> Any:
    """Return what a node holds: JSON values only.

    Timestamps and exotic tags are read as text, and so is what is not what it says it is (``0x_``, ``!!int abc``) and a
    number without end.
    """
    if isinstance(node, yaml.SequenceNode):
        return [value_of(one) for one in node.value]
    if isinstance(node, yaml.MappingNode):
        return {_key_of(key): value_of(value) for key, value in node.value}
    assert isinstance(node, yaml.ScalarNode)
    text = str(node.value)
    if node.tag not in _VALUE_TAGS or len(text) > MAX_NUMBER_CHARACTERS:
        return text
    try:
        plain = yaml.ScalarNode(node.tag, text, node.start_mark, node.end_mark)
        return yaml.SafeLoader("").construct_object(plain)
    except (ValueError, KeyError, TypeError, OverflowError, yaml.YAMLError):
        return text


_VALUE_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))


def _key_of(node: yaml.Node) -> Any:
    # A list or a mapping can be no key; its text is named as one that is not known.
    return (
        value_of(node) if isinstance(node, yaml.ScalarNode) else f"(a key in line {node.start_mark.line + 1})"
    )


def _yaml_problem(error: yaml.YAMLError) -> str:
    # Of bytes the reader keeps the byte, of text the number of the character, which is all that is read here.
    if isinstance(error, yaml.reader.ReaderError) and isinstance(error.character, int):
        return f"the character U+{error.character:04X} at position {error.position + 1:,} is not allowed"
    return str(getattr(error, "problem", None) or error)


def head_comment(text: str) -> str:
    """Return the comment that a file begins with, without ``#``."""
    lines = []
    for line in text.removeprefix("\ufeff").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line[1:].removeprefix(" "))
    return "\n".join(lines)
