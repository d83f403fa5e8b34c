"""Property tests of the language have no deadline: how long an example takes is a matter of `bench/`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("language", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("language")
