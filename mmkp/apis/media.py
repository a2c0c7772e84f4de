# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images and videos, one after the other, and where to put what is drawn on them."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from mmkp.datasets.image_decoding import CorruptImageError, decode_image
from mmkp.datasets.image_files import IMAGE_SUFFIXES, find_images

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg')


class Media:
    """An image, all images below a folder, or the frames of a video.

    Iterating gives pairs of a name and an image (H, W, 3), uint8, BGR. A damaged
    image of a folder is left out with a warning and noted in ``damaged``.

    Args:
        source: file or folder.

    Raises:
        FileNotFoundError: it does not exist, or the folder holds no image.
        ValueError: the file is neither an image nor a video that can be opened.
    """

    def __init__(self, source: str | Path) -> None:
        self.source = Path(source)
        self.damaged: list[str] = []
        self.frames_per_second = 0.0
        suffix = self.source.suffix.lower()
        self.is_video = self.source.is_file() and suffix in VIDEO_SUFFIXES
        if not self.source.exists():
            raise FileNotFoundError(f"input '{source}' does not exist")
        if self.is_video:
            self._open_video()
        elif self.source.is_dir():
            self.names = find_images(str(self.source))
            self.length: int | None = len(self.names)
        elif suffix in IMAGE_SUFFIXES:
            self.names, self.length = [self.source.name], 1
        else:
            raise ValueError(
                f"input '{source}' is neither a folder, nor an image "
                f'({", ".join(IMAGE_SUFFIXES)}), nor a video '
                f'({", ".join(VIDEO_SUFFIXES)})'
            )

    def _open_video(self) -> cv2.VideoCapture:
        video = cv2.VideoCapture(str(self.source))
        if not video.isOpened():
            raise ValueError(f"video '{self.source}' cannot be opened")
        self.frames_per_second = video.get(cv2.CAP_PROP_FPS) or 25.0
        # Some containers do not say how many frames they hold.
        self.length = max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT))) or None
        return video

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        if self.is_video:
            yield from self._frames()
            return
        folder = self.source if self.source.is_dir() else self.source.parent
        for name in self.names:
            path = folder / name
            try:
                yield name, decode_image(path.read_bytes(), str(path))
            except CorruptImageError as error:
                if not self.source.is_dir():
                    raise
                self.damaged.append(name)
                print_log(f'left out: {error}', logger='current', level=30)

    def _frames(self) -> Iterator[tuple[str, np.ndarray]]:
        video = self._open_video()
        number = 0
        while True:
            success, frame = video.read()
            if not success:
                break
            yield f'{self.source.stem}_{number:06d}', frame
            number += 1
        video.release()
        if number == 0:
            raise ValueError(f"video '{self.source}' holds no frame that can be read")


class PictureWriter:
    """Writes what was drawn: a picture for each image, or one video.

    Args:
        folder: where to write, created when absent.
        media: what the pictures are drawn on.

    Use as a context manager; ``written`` names what there is.
    """

    def __init__(self, folder: str | Path, media: Media) -> None:
        self.folder, self.media = Path(folder), media
        self.written: Path = self.folder
        self._video: cv2.VideoWriter | None = None

    def __enter__(self) -> 'PictureWriter':
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._video is not None:
            self._video.release()

    def write(self, name: str, image: np.ndarray) -> None:
        """Write one picture.

        Args:
            name: of the image it is drawn on, or of the frame.
            image: (H, W, 3), uint8, BGR; all frames of a video have one size.

        Raises:
            OSError: it cannot be written.
        """
        if self.media.is_video:
            self._add_frame(image)
            return
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() not in ('.jpg', '.jpeg', '.png'):
            path = path.with_suffix('.png')
        options = [cv2.IMWRITE_JPEG_QUALITY, 95]
        if not cv2.imwrite(str(path), image, options):
            raise OSError(f"picture '{path}' cannot be written")

    def _add_frame(self, image: np.ndarray) -> None:
        if self._video is None:
            self.written = self.folder / f'{self.media.source.stem}.mp4'
            height, width = image.shape[:2]
            self._video = cv2.VideoWriter(
                str(self.written),
                cv2.VideoWriter.fourcc(*'mp4v'),
                self.media.frames_per_second,
                (width, height),
            )
            if not self._video.isOpened():
                raise OSError(f"video '{self.written}' cannot be written")
        self._video.write(image)
