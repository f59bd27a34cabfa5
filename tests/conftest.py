"""What holds for every test: a stall of a busy machine is no failure of a generated example."""

from hypothesis import HealthCheck, settings

settings.register_profile("plinth", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("plinth")
