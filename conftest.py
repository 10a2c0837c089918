"""Settings of every pytest run in this checkout. What a driver's author needs as well belongs into snapproof.plugin."""

from hypothesis import settings


def pytest_configure() -> None:
    """Judge examples by their outcome, not by how busy the machine is, and print how to repeat a failure."""
    settings.register_profile("house", deadline=None, print_blob=True)
    settings.load_profile("house")
