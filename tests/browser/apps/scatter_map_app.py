"""A map of many points with a question and its hits, and what came back."""

import numpy as np
import streamlit as st

from workbench.ui.components.scatter_map import scatter_map

COUNT = 20_000

st.set_page_config(page_title="Map", layout="wide")
colour = st.segmented_control("Colour", ["document", "length", "none"], default="document", key="colour")
hits_shown = st.toggle("Hits", value=True, key="hits")
reseeded = st.toggle("Other points", key="other")


@st.cache_data
def points(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return clouds around random centres, their numbers, and a value per point."""
    random = np.random.default_rng(seed)
    centres = random.normal(0, 6, (14, 2))
    group = random.integers(0, 14, COUNT)
    xy = centres[group] + random.normal(0, 0.8, (COUNT, 2))
    return xy, group, random.gamma(4, 40, COUNT)


@st.fragment
def drawn() -> None:
    """Draw the map and what it returns."""
    xy, group, length = points(int(reseeded))
    order = np.argsort(((xy - xy[77]) ** 2).sum(axis=1))
    event = scatter_map(
        xy,
        key="map",
        groups=group.tolist() if colour == "document" else None,
        group_names=[f"Report {n} <i> of the tram company.pdf" for n in range(14)],
        values=length.tolist() if colour == "length" else None,
        value_label="Tokens",
        labels=[f"Chunk {n} begins with these words of the text" for n in range(COUNT)],
        question=(float(xy[77, 0]) + 1.5, float(xy[77, 1]) + 1) if hits_shown else None,
        hits=[77, int(order[1]), int(order[30]), int(order[900]), 5000] if hits_shown else [],
        height=520,
    )
    if event.point is not None:
        st.session_state["point"] = event.point
    if event.lasso is not None:
        st.session_state["lasso"] = len(event.lasso)
    st.text(f"point: {st.session_state.get('point')}")
    st.text(f"lasso: {st.session_state.get('lasso')}")


drawn()
