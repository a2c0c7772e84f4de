# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the counter takes for an operation, a view and a synchronization."""

import pytest
import torch
import torch.nn.functional as F

from mmkp.ops import accelerators
from mmkp.testing.dispatch_counter import (
    DispatchCounter,
    count_dispatches,
    forms_of_accelerators,
    without_values,
)

X = torch.arange(6.0).view(2, 3)
WAITS = {
    'item': lambda x: x.sum().item(),
    'bool': lambda x: bool(x.any()),
    'float': lambda x: float(x[0, 0]),
    'nonzero': lambda x: x.nonzero(),
    'read by a mask': lambda x: x[x > 2],
    'write by a mask': lambda x: x.clone().__setitem__(x > 2, 0.0),
    'masked_select': lambda x: x.masked_select(x > 2),
    'unique': lambda x: x.unique(),
    'where of one': lambda x: torch.where(x > 2),
    'repeat_interleave': lambda x: x.repeat_interleave(torch.tensor([1, 2]), 0),
    'new_tensor': lambda x: x.new_tensor((1, 2)),
    'torch.tensor': lambda x: torch.tensor([1.0]),
    'equal': lambda x: torch.equal(x, x),
    'solve': lambda x: torch.linalg.solve(torch.eye(2), x),
}
DOES_NOT_WAIT = {
    'arithmetic': lambda x: (2 * x + 1).clamp(0, 3).sum(),
    'where': lambda x: torch.where(x > 2, x, 0.0),
    'masked_fill': lambda x: x.masked_fill(x > 2, 0),
    'gather': lambda x: x.gather(1, x.argmax(1, keepdim=True)),
    'index': lambda x: x[x.argmax(0)],
    'repeat_interleave': lambda x: x.repeat_interleave(2, 0),
    'full': lambda x: x.new_full((2,), 3.0),
    'solve_ex': lambda x: torch.linalg.solve_ex(torch.eye(2), x),
    'convolution': lambda x: F.conv2d(x[None, None], torch.ones(1, 1, 1, 1)),
    'half': lambda x: x.half(),
}


@pytest.mark.parametrize('name', WAITS)
def test_the_host_waits(name):
    with DispatchCounter() as counter:
        WAITS[name](X)
    assert counter.synchronizations.total() >= 1
    assert counter.synchronizations.total() == counter.places.total()
    assert all(__file__ in place for place in counter.places)
    assert counter.synchronizations <= counter.operations


@pytest.mark.parametrize('name', DOES_NOT_WAIT)
def test_the_host_does_not_wait(name):
    operations, synchronizations = count_dispatches(lambda: DOES_NOT_WAIT[name](X))
    assert operations >= 1
    assert synchronizations == 0


def test_views_start_nothing():
    with DispatchCounter() as counter:
        x = X.view(3, 2).T[None].expand(2, -1, -1).detach()
        torch.empty_like(x)
    assert not counter.operations
    assert counter.views.total() >= 5


def test_operations_of_the_backward_pass_count():
    x = X.clone().requires_grad_()
    with DispatchCounter() as counter:
        (x * x).sum().backward()
    # Forward 2, the gradient of the sum 1, two products and their sum.
    assert counter.operations.total() == 6
    assert counter.operations['aten::mul'] == 3


COPIES = {'new_tensor', 'torch.tensor', 'solve', 'write by a mask'}


@pytest.mark.parametrize('name', sorted(set(WAITS) - COPIES))
def test_nothing_is_read_where_there_are_no_values(name):
    with without_values(), pytest.raises(RuntimeError):
        WAITS[name](torch.rand(2, 3))


def test_numbers_do_not_leave_the_device_meta():
    with without_values():
        x = torch.rand(2, 3)
        for leave in (x.cpu, x.numpy, x.tolist):
            with pytest.raises((RuntimeError, TypeError)):
                leave()
        with torch.autocast('meta', enabled=False):
            assert (x @ x.T).device.type == 'meta'
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert (X @ X.T).dtype == torch.bfloat16


def test_forms_and_working_sets():
    cpu, other = torch.device('cpu'), torch.device('meta')
    assert not accelerators.is_accelerator(cpu) and accelerators.is_accelerator(other)
    assert accelerators.working_set(cpu) == 16 * 2**20 < accelerators.working_set(other)
    with forms_of_accelerators():
        assert accelerators.is_accelerator(cpu)
    assert not accelerators.is_accelerator(cpu)


@pytest.mark.cuda
def test_working_set_of_a_gpu():
    free, total = torch.cuda.mem_get_info()
    assert total // 4 < accelerators.working_set(torch.device('cuda')) < total // 2
