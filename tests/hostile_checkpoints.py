"""Checkpoints made to harm, and what it means to refuse them."""

import io
import os
import resource
import time
import warnings
import zipfile
from contextlib import contextmanager

import pytest
import torch

from mmkp.engine import CheckpointError, UntrustedCheckpointError, load_checkpoint_file

GIB = 1 << 30
REFUSALS = (CheckpointError, UntrustedCheckpointError)


@contextmanager
def bounds():
    """A GiB beyond what the process has, and ten CPU seconds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open('/proc/self/statm') as file:
        taken = int(file.read().split()[0]) * os.sysconf('SC_PAGE_SIZE')
    resource.setrlimit(resource.RLIMIT_AS, (taken + GIB, hard))
    begun = time.process_time()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert time.process_time() - begun < 10


def refused(path, match):
    """Require a refusal that names the file and what is wrong, in one short line."""
    with bounds(), pytest.raises(REFUSALS, match=match) as caught:
        load_checkpoint_file(path)
    text = str(caught.value)
    assert str(path) in text
    assert '\n' not in text
    assert len(text) < len(str(path)) + 700


def saved(content, **options):
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def archive(path, program=None, more=(), method=zipfile.ZIP_STORED, data=b'\0' * 48):
    """A checkpoint of the pickle of a tensor (3, 4), or of another one."""
    source = zipfile.ZipFile(io.BytesIO(saved(torch.zeros(3, 4))))
    with warnings.catch_warnings(), zipfile.ZipFile(path, 'w', method) as target:
        warnings.simplefilter('ignore')  # of names that occur twice
        for name in source.namelist():
            content = source.read(name)
            if name.endswith('data.pkl') and program is not None:
                content = program
            if name.endswith('data/0'):
                content = data
            target.writestr(name, content)
        for name, content in more:
            target.writestr(name, content)
