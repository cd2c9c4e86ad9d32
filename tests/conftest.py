"""What all tests share: steady Hypothesis settings, and no model that loads behind their back."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Models come inside packages; the app's background warm-up would only take the tests' time.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("WORKBENCH_WARM_UP", "off")
# As the store sets it before it imports LanceDB, which some tests do first.
os.environ.setdefault("LANCEDB_LOG", "off")

# A busy machine must not turn a law red. In CI every run draws the same examples; elsewhere they vary.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")
