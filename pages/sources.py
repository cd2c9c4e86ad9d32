"""Sources: pipelines, where their documents come from, what a sync would do, and the sync."""

import streamlit as st

from workbench.ui import (
    run_live,
    source_files,
    source_list,
    source_new,
    source_plan,
    source_settings,
)
from workbench.ui.messages import empty_state
from workbench.ui.resources import workspace

here = workspace()
found, wrong = source_files.files(here)

st.title("Sources")
st.caption(
    "A pipeline keeps an index true to its sources: it reads what is new or changed, and removes what is gone."
)
source_files.show_wrong(here, wrong)
if not found:
    empty_state(
        "sync_alt", "No pipeline yet", "Begin with a config, with a YAML file, or with the sample library."
    )
    source_new.form(here)
    source_new.show_elsewhere(here, ())
    st.stop()

source_new.take_up_choice()
name = source_files.chosen_name([file.name for file in found])
with st.expander("Another pipeline", icon=":material/add:"):
    source_new.form(here)
    source_new.show_elsewhere(here, [file.name for file in found])
file = next(file for file in found if file.name == name)
source_list.show(here, file)
if file.config.sources:
    source_plan.show(here, file)
    run_live.panel(file.name)
source_settings.show(here, file)
