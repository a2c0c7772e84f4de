"""The same random numbers on each device."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only


class CpuDraws(TorchDispatchMode):
    """Draws on the CPU whatever is random, and moves it to where it is wanted."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **kwargs)
        device = kwargs.get('device') or getattr(args[0], 'device', 'cpu')
        if 'device' in kwargs:
            kwargs['device'] = 'cpu'
        on_cpu = tree_map_only(torch.Tensor, lambda t: t.cpu(), args)
        result = func(*on_cpu, **kwargs)
        if func._schema.name.endswith('_'):
            return args[0].copy_(result)
        return tree_map_only(torch.Tensor, lambda t: t.to(device), result)
