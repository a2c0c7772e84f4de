# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From an image, a folder or a video to pictures and a file of keypoints."""

from pathlib import Path
from typing import Any

from mmkp.apis.predict_into import predict_into
from mmkp.apis.predict_options import PredictOptions
from mmkp.datasets.object_detection import BoxDetector


def predict_files(
    model: Any,
    source: str | Path,
    out_dir: str | Path,
    boxes_file: str | Path | BoxDetector | None = None,
    show_edges: bool = False,
    numbers: bool = False,
    min_score: float | None = None,
    batch_size: int = 16,
    draw: bool = True,
    show_heatmaps: str | None = None,
    show_fields: str | None = None,
    show_stacks: bool = False,
) -> Path:
    """Predict, draw, and write down keypoints.

    A bottom-up model finds all people of whole images, any other one the keypoints of
    whole images or of boxes.

    Args:
        model: from :func:`mmkp.apis.load_model`.
        source: image, folder of images (with its sub-folders), or video; see
            :func:`mmkp.apis.sources.parts_of`.
        out_dir: gets ``keypoints.json`` and ``pictures/``, see
            :func:`mmkp.apis.picture_set.picture_folder`. Pictures keep the names of
            their images, with ``.png`` behind other suffixes than ``.jpg``, ``.jpeg``
            and ``.png``. Of a
            video they are one film that browsers play (WebM, or MP4 where this OpenCV
            or the rate need it), at the times of the original, without its sound, and
            with the rate of the prediction in the corner.
        boxes_file: json file of boxes by image name, see
            :func:`mmkp.datasets.image_boxes.read_boxes`; frames of a video are called
            ``<video>_000000`` and so on. Images without boxes are skipped; how many,
            and which names fit no image, is told. A detector
            (:func:`mmkp.datasets.object_detection.build_detector`) finds them in each
            image instead. None takes whole images.
        show_edges: draw the learned edges, the brighter the larger their weight, and
            ``edge_weights.png``, the matrix of the weights.
        numbers: write each keypoint's number beside it.
        min_score: keypoints of a lower score are not drawn; by default those below
            0.2, but all that a model has discovered.
        batch_size: number of images that the network sees at once.
        draw: whether to write pictures at all.
        show_heatmaps: also write ``heatmaps/``: 'overlay' for one picture, 'all' for
            a tile for each keypoint.
        show_fields: of a part affinity model, also write ``fields/``: 'wheel' to show
            directions as colours, 'arrows', or 'all' for a tile for each limb.
        show_stacks: of a top-down model with several stacks, also write ``stacks/``:
            the skeletons and heatmaps of each stack, side by side.

    Returns:
        Path of the file of keypoints. Coordinates are pixels of the upright image,
        with pixel centres at integers. Frames have a ``time`` in seconds, drawn images
        a ``picture`` below ``out_dir``; of a film that ends early
        ``frames_declared`` is more than the number of ``images``.

    Raises:
        FileNotFoundError: source or boxes do not exist.
        ValueError: the source is no image or video; no image has a box; the model has
            nothing of the kind to show.
    """
    options = PredictOptions(
        boxes=boxes_file,
        show_edges=show_edges,
        numbers=numbers,
        min_score=min_score,
        batch_size=batch_size,
        draw='all' if draw else 'none',
        show_heatmaps=show_heatmaps,
        show_fields=show_fields,
        show_stacks=show_stacks,
    )
    return predict_into(model, source, out_dir, options).path
