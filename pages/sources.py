"""Sources: pipelines, where their documents come from, what a sync would do, and the sync."""

import streamlit as st

from workbench.ui.pipelines import pipeline_files
from workbench.ui.session.workspace import workspace
from workbench.ui.sources import live_sync, new_pipeline, settings, source_list, sync_preview
from workbench.ui.widgets.messages import empty_state

here = workspace()
found, wrong = pipeline_files.files(here)

st.title("Sources")
st.caption(
    "A pipeline keeps an index true to its sources: it reads what is new or changed, and removes what is gone."
)
pipeline_files.show_wrong(here, wrong)
if not found:
    empty_state(
        "sync_alt", "No pipeline yet", "Begin with a config, with a YAML file, or with the sample library."
    )
    new_pipeline.form(here)
    new_pipeline.show_elsewhere(here, ())
    st.stop()

new_pipeline.take_up_choice()
name = pipeline_files.chosen_name([file.name for file in found])
with st.expander("Another pipeline", icon=":material/add:"):
    new_pipeline.form(here)
    new_pipeline.show_elsewhere(here, [file.name for file in found])
file = next(file for file in found if file.name == name)
source_list.show(here, file)
if file.config.sources:
    sync_preview.show(here, file)
    live_sync.panel(file.name)
settings.show(here, file)
