# Copyright (c) mmkp authors. Licensed under Apache-2.0.

from mmkp.ops.edge_map.edge_map import complete_graph, edge_map

__all__ = ['complete_graph', 'edge_map']
