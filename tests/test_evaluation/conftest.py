"""What is logged, for the tests of this folder."""

import logging

import pytest
from mmengine.logging import MMLogger


class Messages(logging.Handler):
    def __init__(self):
        super().__init__()
        self.texts = []

    def emit(self, record):
        self.texts.append((record.levelname, record.getMessage()))

    def find(self, level, text):
        return any(level == found and text in message for found, message in self.texts)


@pytest.fixture()
def messages(request):
    # The newest logger is the current one; others may be set to log less.
    name = f'{request.node.nodeid}-{id(request)}'
    logger, handler = MMLogger.get_instance(name, log_level='INFO'), Messages()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
