"""Every chart, and the messages."""

import numpy as np
import streamlit as st

from workbench.errors import InputError
from workbench.ui.widgets import charts
from workbench.ui.widgets.messages import empty_state, guarded, shown_error, term_help

NASTY = (
    "the file :smile: **bold** [link](http://example.org) http://example.org www.example.org a@example.org $x^2$ "
    ":red[red] :material/home: `code` <b>html</b> -> <- -- >= <= ~= ![i](x.png) _u_ 1. #h ~~s~~ \\ | end.pdf"
)

st.set_page_config(page_title="Charts", layout="wide")
random = np.random.default_rng(1)
left, right = st.columns(2)
with left:
    st.metric("Chunks", "1,204", help=term_help("chunk"), border=True)
    series = {
        "Sentences, 250 <i>": random.normal(220, 25, 400).astype(int).clip(1).tolist(),
        "Fixed size, 120": random.normal(118, 4, 800).astype(int).tolist(),
        "Headings": random.gamma(2, 90, 200).astype(int).tolist(),
    }
    charts.show(charts.token_histogram(series, window_tokens=256), key="several")
    charts.show(charts.token_histogram({"one": series["Headings"]}, window_tokens=256), key="one")
with right:
    charts.show(charts.bars({"Cached": 812, "New": 120}, unit="chunks"), key="bars")
    charts.show(
        charts.dots(
            {"a": 0.71, "b": 0.8}, intervals={"a": (0.66, 0.75), "b": (0.77, 0.84)}, label="recall@5"
        ),
        key="dots",
    )
shown_error(InputError(NASTY))
with guarded():
    raise RuntimeError("a secret detail")
empty_state("description", "No documents yet", "Add files, or start with the *sample* library.")
