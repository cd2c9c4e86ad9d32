"""What the pages of one session share: the current document and the configs under comparison.

Everything here survives leaving a page.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st
from pydantic import ValidationError

from workbench import plugins
from workbench.config import DEFAULTS, NAME_PATTERN, SECTIONS, Config
from workbench.contracts import Plugin
from workbench.contracts.plugin import secret_problem
from workbench.errors import SettingsError
from workbench.evaluation.questions import QuestionSet
from workbench.ui.widgets.labels import config_name, refusal

LARGEST_COMPARISON = 4
LONGEST_LINK_CHARACTERS = 4_000
DEFAULT_PLUGINS = {**DEFAULTS, "embedder": "sentence_transformers", "chunker": "fixed_size"}

# Session keys; no widget has one of these.
DOCUMENT, DRAFTS, QUESTION_SET = "current document", "drafts", "current question set"
PRESELECTED, EXPORTED, SEARCH_TIMES = "preselected configs", "config to export", "search times"


# ── a config that is being written ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Draft:
    """A config as it stands in a form: unchecked, so that a wrong setting can stand there until it is put right.

    ``id`` is part of the keys of its widgets: another id is another form. Without a ``typed_name`` it is named
    after its settings.
    """

    sections: Mapping[str, Mapping[str, Any]]
    """Section of the YAML → ``{"name": plug-in, setting: value …}``; a missing setting has its default."""
    typed_name: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @classmethod
    def of(cls, config: Config, keep_name: bool = True) -> Draft:
        """Return a new draft with the settings of ``config``."""
        sections = {}
        for section in SECTIONS:
            plugin: Plugin = getattr(config, section)
            sections[section] = {"name": plugin.name, **plugin.model_dump()}
        return cls(sections, config.name if keep_name else "")

    def plugin_name(self, section: str) -> str:
        """Return the name of the plug-in that a section uses."""
        return str(self.sections.get(section, {}).get("name", DEFAULT_PLUGINS[section]))

    def settings(self, section: str) -> dict[str, Any]:
        """Return every setting of a section as it stands in the form."""
        cls = plugins.plugin_class(SECTIONS[section], self.plugin_name(section))
        given = self.sections.get(section, {})
        return {key: given.get(key, field.get_default()) for key, field in cls.model_fields.items()}

    def with_section(self, section: str, name: str, settings: Mapping[str, Any]) -> Draft:
        """Return the draft with another plug-in or other settings in one section."""
        return replace(self, sections={**self.sections, section: {"name": name, **settings}})

    def plugin(self, section: str) -> Plugin:
        """Return the plug-in of a section; raises ``SettingsError``, in the form's words, when it cannot work."""
        family, name = SECTIONS[section], self.plugin_name(section)
        try:
            return plugins.plugin_class(family, name)(**self.settings(section))
        except ValidationError as error:
            raise SettingsError(refusal(family, name, error)) from error

    def problem(self, section: str) -> str:
        """Return why the settings of a section cannot work, "" when they can."""
        try:
            self.plugin(section)
        except SettingsError as error:
            return str(error)
        return ""

    def config(self) -> Config:
        """Return the config; raises ``SettingsError`` when it cannot work."""
        built: dict[str, Any] = {section: self.plugin(section) for section in SECTIONS}
        return Config(name=self.typed_name or self.name, **built)

    @property
    def name(self) -> str:
        """The typed name, else one made from the chunker's settings."""
        if self.typed_name:
            return self.typed_name
        parts = [config_name("chunkers", self.plugin_name("chunker"), self.settings("chunker"))]
        if self.plugin_name("embedder") != DEFAULT_PLUGINS["embedder"] or self._changed("embedder"):
            parts.append(config_name("embedders", self.plugin_name("embedder"), self.settings("embedder")))
        if self._changed("parser"):
            parts.append(config_name("parsers", self.plugin_name("parser"), self.settings("parser")))
        return " ".join(parts)[:80].rstrip()

    def link(self) -> str:
        """Return the draft as compact JSON that holds only what differs from the defaults, and no secret."""
        body: dict[str, Any] = {"name": self.typed_name} if self.typed_name else {}
        for section in SECTIONS:
            fields = plugins.plugin_class(SECTIONS[section], self.plugin_name(section)).model_fields
            # A secret that was typed as text is refused by the form, and until then stays out of addresses and logs.
            changed = {
                key: value
                for key, value in self._changed(section).items()
                if not secret_problem(key, fields[key], value)
            }
            if changed or self.plugin_name(section) != DEFAULT_PLUGINS[section]:
                body[section] = {"name": self.plugin_name(section), **changed}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_link(cls, text: str) -> Draft | None:
        """Return the draft in a link, or None for text that is none; unknown settings are left out."""
        try:
            body = json.loads(text) if len(text) <= LONGEST_LINK_CHARACTERS else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(body, dict):
            return None
        sections = {}
        for section, family in SECTIONS.items():
            given = body.get(section, {"name": DEFAULT_PLUGINS[section]})
            if not isinstance(given, dict) or given.get("name") not in plugins.names(family):
                return None
            fields = plugins.plugin_class(family, given["name"]).model_fields
            sections[section] = {
                # JSON knows lists only; settings are frozen.
                key: tuple(value) if isinstance(value, list) else value
                for key, value in given.items()
                if key == "name" or key in fields
            }
        name = body.get("name", "")
        return cls(sections, name if isinstance(name, str) and NAME_PATTERN.fullmatch(name) else "")

    def _changed(self, section: str) -> dict[str, Any]:
        cls = plugins.plugin_class(SECTIONS[section], self.plugin_name(section))
        settings = self.settings(section)
        return {key: value for key, value in settings.items() if value != cls.model_fields[key].get_default()}


# ── what the session holds ───────────────────────────────────────────────────────────────────────────────────────


def current_document(document_ids: Sequence[str]) -> str:
    """Return the document chosen last on any page, or the first one when it is gone."""
    chosen = st.session_state.get(DOCUMENT)
    return str(chosen) if chosen in document_ids else document_ids[0]


def choose_document(document_id: str) -> None:
    """Make a document the current one, for every page."""
    st.session_state[DOCUMENT] = document_id


def usual_question_set(sets: Sequence[QuestionSet]) -> str:
    """Return the name of the set to begin with: the one with the most judged passages, the first of several."""
    return max(sets, key=lambda one: len(one.judgments)).name


def current_question_set(sets: Sequence[QuestionSet]) -> str:
    """Return the name of the set chosen last on any page, or of the usual one when it is gone."""
    chosen = st.session_state.get(QUESTION_SET)
    return chosen if chosen in {one.name for one in sets} else usual_question_set(sets)


def choose_question_set(name: str) -> None:
    """Make a question set the current one, for every page."""
    st.session_state[QUESTION_SET] = name


def drafts() -> list[Draft]:
    """Return the configs under comparison, none before the first visit."""
    return list(st.session_state.get(DRAFTS, []))


def put_drafts(found: Iterable[Draft]) -> None:
    """Keep the configs under comparison."""
    st.session_state[DRAFTS] = list(found)[:LARGEST_COMPARISON]


def compare(config: Config) -> None:
    """Put a config beside the ones under comparison, in place of the last one when there is no room."""
    kept = [draft for draft in drafts() if draft.typed_name != config.name][: LARGEST_COMPARISON - 1]
    put_drafts([*kept, Draft.of(config)])


def preselect(names: Sequence[str]) -> None:
    """Name saved configs that the Tables page should have chosen when it opens."""
    st.session_state[PRESELECTED] = list(names)


def taken_preselection() -> list[str]:
    """Return the names of saved configs to choose now, once: a second call returns none."""
    found: list[str] = st.session_state.pop(PRESELECTED, [])
    return found


def export(config: Config) -> None:
    """Make a config the one that the Export page shows when it opens."""
    st.session_state[EXPORTED] = config


def exported() -> Config | None:
    """Return the config that another page asked the Export page to show, or None."""
    found: Config | None = st.session_state.get(EXPORTED)
    return found


def note_search_time(table_name: str, seconds: float) -> None:
    """Remember how long a search in a table took; the Export page reports the median of the last hundred."""
    times = st.session_state.setdefault(SEARCH_TIMES, {}).setdefault(table_name, [])
    times.append(seconds)
    del times[:-100]


def search_times(table_name: str) -> list[float]:
    """Return how long searches in a table took in this session, in seconds."""
    return list(st.session_state.get(SEARCH_TIMES, {}).get(table_name, []))
