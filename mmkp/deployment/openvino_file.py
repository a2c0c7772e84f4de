# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Graphs as files of OpenVINO."""

from pathlib import Path

from mmkp.deployment.description import METADATA_KEY, ExportDescription
from mmkp.deployment.onnx_file import CONFIG_KEY, library
from mmkp.labels.hdf5_file import one_line


def write_openvino(
    onnx_file: str | Path,
    path: str | Path,
    description: ExportDescription,
    config_text: str = '',
) -> Path:
    """Write OpenVINO's two files, ``.xml`` and ``.bin``.

    Args:
        onnx_file: the graph, of :func:`mmkp.deployment.onnx_file.write_onnx`.
        path: of the file that ends with ``.xml``.
        description: what the file says of itself.
        config_text: of the config, which the file holds too.

    Returns:
        The path.

    Raises:
        ImportError: OpenVINO is not installed.
        ValueError: OpenVINO cannot convert the graph.
    """
    openvino = library('openvino', 'a file of OpenVINO')
    try:
        model = openvino.convert_model(str(onnx_file))
    except Exception as error:  # it has a class of its own for each kind of trouble
        raise ValueError(
            f'OpenVINO cannot convert {description.model}: {one_line(error)}'
        ) from error
    model.set_rt_info(description.to_json(), [METADATA_KEY])
    if config_text:
        model.set_rt_info(config_text, [CONFIG_KEY])
    # Half precision is asked for by name, see float16.py.
    openvino.save_model(model, str(path), compress_to_fp16=False)
    return Path(path)
