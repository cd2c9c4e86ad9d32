"""The workbench as an app: its script, and the check in front of it. Start it with ``make run``."""

import streamlit as st
from starlette.middleware import Middleware

from workbench.ui.access.guard import Guard
from workbench.ui.server import MAIN, follow_schedules, served_hosts

app = st.App(MAIN, middleware=[Middleware(Guard, hosts=served_hosts())], lifespan=follow_schedules)
