"""The Export page: which configs there are, what is known of each, the YAML, and the way back in."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import streamlit as st

from workbench.config import Config, parsed
from workbench.counts import counted
from workbench.errors import ConfigError, WorkbenchError
from workbench.evaluation import leaderboard
from workbench.evaluation.questions import QuestionSet
from workbench.ui.session import presets, state, url_state
from workbench.ui.session.workspace import ROOT, page_script
from workbench.ui.widgets.config_files import (
    MEASURED,
    MOST_NAMES,
    file_name,
    file_stem,
    show_problems,
    text_of,
    with_comment,
    yaml_of,
)
from workbench.ui.widgets.messages import plain, shown_error
from workbench.workspace import TableRow, Workspace

CHOICE = "export.config"
MOST_ROWS_READ = 50_000


@dataclass(frozen=True)
class Choice:
    """A config that can be exported, and its table when it is built."""

    label: str
    config: Config
    table: TableRow | None = None


def choices(here: Workspace) -> list[Choice]:
    """Return what another page asked for, the configs under comparison, the saved ones and those of tables."""
    tables = {row.name: row for row in here.tables.rows()}
    found: list[Choice] = []

    def add(where: str, config: Config) -> None:
        known = any(
            choice.config.name == config.name and choice.config.fingerprint == config.fingerprint
            for choice in found
        )
        if not known:
            found.append(Choice(f"{config.name} · {where}", config, tables.get(config.table_name)))

    asked = state.exported()
    if asked is not None:
        add("just chosen", asked)
    for config in here.configs():
        add("saved", config)
    for row in tables.values():
        if row.config is not None:
            add("table", row.config)
    for draft in state.drafts():
        try:
            add("on the Chunks page", draft.config())
        except WorkbenchError:
            continue
    return found


def chosen(found: Sequence[Choice]) -> Choice:
    """Draw the choice of a config and return it; a link, or another page, may have made it already."""
    by_label = {choice.label: choice for choice in found}
    names = {choice.config.name: label for label, choice in reversed(by_label.items())}
    url_state.entered(CHOICE, "config", found[0].label, lambda texts: names.get(texts[-1]))
    # What another page or the import asked for stands first.
    newest = state.exported()
    if newest is not st.session_state.get("export.asked"):
        st.session_state[CHOICE] = found[0].label
    st.session_state["export.asked"] = newest
    if st.session_state[CHOICE] not in by_label:
        st.session_state[CHOICE] = found[0].label
    choice = by_label[st.selectbox("Config", list(by_label), key=CHOICE)]
    url_state.left(CHOICE)
    url_state.shown({"config": choice.config.name})
    return choice


# ── the YAML ─────────────────────────────────────────────────────────────────────────────────────────────────────


def measured(choice: Choice, here: Workspace) -> list[str]:
    """Return what is known of a config as comment lines; what was not measured is said, too."""
    lines = [f"{MEASURED}, {datetime.now(UTC).date().isoformat()}:"]
    evaluated: list[str] = []
    if choice.table is None:
        lines.append("- its table is not built yet")
    else:
        lines += _table_lines(choice.config, choice.table, here)
        times = state.search_times(choice.table.name)
        if times:
            asked = counted(len(times), "question")
            lines.append(
                f"- search: median {statistics.median(times) * 1000:,.0f} ms over {asked} in this session"
            )
        evaluated = _evaluation_lines(choice.config, here)
    return [*lines, *(evaluated or ["- not evaluated yet on judged questions"])]


def _evaluation_lines(config: Config, here: Workspace) -> list[str]:
    """Return one line per question set on which this table was measured as it is now."""
    lines = []
    for questions in _measured_on(config, here):
        scores = here.evaluations.outcome(config, questions).scores
        rows, count = leaderboard.rows([scores]), len(scores.question_ids)
        found = leaderboard.interval_of(rows, scores.config, "recall@5")
        shown = leaderboard.interval_of(rows, scores.config, "tokens_shown@5")
        if found is None or shown is None:
            continue
        lines.append(
            f"- {questions.name} ({counted(count, 'question')}, hash {questions.hash[:12]}): recall@5 "
            f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}], {shown.value:,.0f} tokens shown a question"
        )
    return lines


def _measured_on(config: Config, here: Workspace) -> list[QuestionSet]:
    return [one for one in here.question_sets.sets() if here.evaluations.is_kept(config, one)]


def _table_lines(config: Config, row: TableRow, here: Workspace) -> list[str]:
    names = {document.id: document.name for document in here.documents()}
    table = here.tables.table(config)
    held = sorted(names.get(i, "a deleted document") for i in table.states())
    shown = ", ".join(held[:MOST_NAMES]) + (
        f" and {len(held) - MOST_NAMES} more" if len(held) > MOST_NAMES else ""
    )
    lines = [f"- {counted(row.rows, 'chunk')} of {counted(len(held), 'document')}: {shown}"]
    if 0 < row.rows <= MOST_ROWS_READ:
        tokens = [chunk.token_count for chunk in table.chunks()]
        lines.append(f"- tokens in a chunk: median {statistics.median(tokens):,.0f}, largest {max(tokens):,}")
    if row.index_note:
        lines.append(f"- {row.index_note}")
    return lines


def commands(file: str, folder: str, measured_on: Sequence[QuestionSet] = ()) -> str:
    """Return the command lines that run a config file on the workspace in ``folder``, and measure it again.

    Question sets are read from the CSV files that the Questions page offers.
    """
    place = "" if folder == str(ROOT / "data" / "workspace") else f' --workspace "{folder}"'
    run = f"python -m workbench{place}"
    return "\n".join(
        [
            f"{run} chunks {file}",
            f"{run} build {file}",
            f'{run} search {file} "your question" --k 5',
            *(f"{run} evaluate {file} --questions {file_stem(one.name)}.csv" for one in measured_on),
        ]
    )


def show(choice: Choice, here: Workspace) -> None:
    """Draw a config as YAML, with copy, download and the commands that run it."""
    with_measures = st.toggle(
        "Say at its head what was measured", value=True, help="Comment lines; they change nothing."
    )
    config = choice.config
    try:
        if with_measures:
            config = with_comment(config, measured(choice, here))
        text = yaml_of(config)
    except ConfigError as error:
        show_problems(error)
        return
    name = file_name(config.name)
    # The comment names documents: a line of it may be long.
    st.code(text, language="yaml", wrap_lines=True)
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Download",
            text,
            file_name=name,
            mime="application/yaml",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
        if st.button("Open on Chunks", icon=":material/content_cut:"):
            open_on_chunks(choice.config)
    st.markdown("**Run it from a terminal**", help="The same functions as here: same chunks, same vectors.")
    sets = _measured_on(choice.config, here) if choice.table is not None else ()
    st.code(commands(name, str(here.folder), sets), language="bash", wrap_lines=True)
    if sets:
        st.caption("The question file is the CSV that the page Questions offers under Export.")
    st.markdown("**Run it on sources that change**", help="A pipeline reads only what is new or changed.")
    st.page_link(
        page_script("sources"),
        label="Make it a pipeline: sources, syncs and releases",
        icon=":material/sync_alt:",
        width="content",
    )


def open_on_chunks(config: Config) -> None:
    """Open the Chunks page with this config beside the others."""
    state.compare(config)
    st.switch_page(page_script("chunks"))


# ── import ───────────────────────────────────────────────────────────────────────────────────────────────────────


def saved_from(text: str, origin: str, here: Workspace) -> Config:
    """Check a YAML and save it, under a free name; raises ``ConfigError`` that lists every problem."""
    config = parsed(text, origin)
    name = presets.free_name(config.name, config, here.configs())
    if name != config.name:
        config = replace(config, name=name)
    here.save_config(config)
    return config


def show_import(here: Workspace) -> None:
    """Draw upload, paste and the result of the check."""
    with st.form("import", border=False):
        file = st.file_uploader("YAML file", type=["yaml", "yml"], max_upload_size=1)
        pasted = st.text_area(
            "or paste it here",
            height=220,
            max_chars=200_000,
            placeholder="version: 1\nname: handbook-250\nchunker: {name: nltk_sentences, size_tokens: 250}\n"
            "embedder: {name: sentence_transformers}",
        )
        asked = st.form_submit_button("Check and save", icon=":material/fact_check:", type="primary")
    if asked:
        st.session_state.pop("imported", None)
        try:
            text = text_of(file.getvalue()) if file is not None else pasted
            if not text.strip():
                st.info("Choose a file or paste a config first.", icon=":material/info:")
                return
            config = saved_from(text, file.name if file is not None else "the pasted text", here)
            st.session_state["imported"] = config
            state.export(config)
        except ConfigError as error:
            show_problems(error)
            return
        except WorkbenchError as error:
            shown_error(error)
            return
        st.rerun()
    imported = st.session_state.get("imported")
    if imported is not None:
        st.success(
            f"Saved as {plain(imported.name)}; it is the config shown here now.", icon=":material/check:"
        )
        if st.button("Open its settings on Chunks", icon=":material/content_cut:"):
            open_on_chunks(imported)
