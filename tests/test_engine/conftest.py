import pytest
from mmengine.config import Config


@pytest.fixture(autouse=True)
def plain_config_text(monkeypatch):
    """MMEngine pretty-prints the config into each checkpoint, for 0.3 s each time."""
    monkeypatch.setattr(Config, 'pretty_text', property(lambda cfg: cfg.text))
