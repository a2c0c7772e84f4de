"""The page of a run as it is written: its images, what is known of them, refusals."""

import base64
import json
import re
import shutil

import cv2
import numpy as np
import pytest
import tiny

import mmkp
from mmkp.apis import load_model, predict_files
from mmkp.apis.run import Run
from mmkp.cli.main import main


@pytest.fixture(scope='module')
def predicted(tmp_path_factory):
    """A run on images of several sizes, without score and names."""
    folder = tmp_path_factory.mktemp('view')
    images = tiny.draw_figures(folder / 'a photo', 5)
    wide = cv2.resize(cv2.imread(str(images / '000.png')), (96, 40))
    (images / 'sub').mkdir()
    cv2.imwrite(str(images / 'sub/ü <b>.png'), wide)
    config, checkpoint = tiny.trained()
    model = load_model(config, checkpoint, 'cpu')
    predict_files(model, images, folder / 'run', draw=False)
    Run.create(folder / 'run', 'discover', source=str(images))
    return folder / 'run'


@pytest.fixture
def run(predicted, tmp_path):
    return Run(shutil.copytree(predicted, tmp_path / 'run'))


def data_of(page):
    text = page.path.read_text(encoding='utf-8')
    (found,) = re.findall(r'<script type="application/json" id="data">(.+)<', text)
    return json.loads(found)


def picture_of(image):
    content = base64.b64decode(image['picture'].partition(',')[2])
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


class TestImages:
    def test_of_a_folder_each_beside_its_keypoints(self, run):
        page = mmkp.view(run)
        assert page.path == run.path / 'report.html'
        assert (page.num_images, page.missing) == (6, [])
        assert page.num_bytes == page.path.stat().st_size < 200_000
        data, known = data_of(page), run.keypoints['images']
        for image, record in zip(data['images'], known, strict=True):
            original = cv2.imread(f'{run.source}/{record["image"]}')
            shown = picture_of(image)
            assert (image['name'], shown.shape) == (record['image'], original.shape)
            noise = cv2.blur(original, (9, 9)), cv2.blur(shown, (9, 9))
            assert np.abs(np.subtract(*noise, dtype=float)).mean() < 4
            points = np.array(image['instances'][0])
            instance = record['instances'][0]
            np.testing.assert_allclose(points[:, :2], instance['keypoints'])
            np.testing.assert_allclose(
                points[:, 2], instance['keypoint_scores'], atol=5.1e-4
            )

    def test_turned_ones_are_upright(self, run, tmp_path):
        from PIL import Image

        image = Image.new('RGB', (40, 20))
        exif = image.getexif()
        exif[0x0112] = 6
        (tmp_path / 'turned').mkdir()
        image.save(tmp_path / 'turned/000.jpg', exif=exif)
        keypoints = run.keypoints
        keypoints['images'] = keypoints['images'][:1]
        keypoints['images'][0].update(image='000.jpg', width=20, height=40)
        (run.path / 'keypoints.json').write_text(json.dumps(keypoints))
        run.update(source=str(tmp_path / 'turned'))
        (shown,) = data_of(mmkp.view(run))['images']
        assert picture_of(shown).shape == (40, 20, 3)

    def test_those_that_are_gone_are_said(self, run, tmp_path):
        moved = shutil.copytree(run.source, tmp_path / 'moved')
        (moved / '001.png').unlink()
        (moved / '002.png').write_bytes(b'no image')
        run.update(source=str(moved))
        page = mmkp.view(run)
        assert page.missing == ['001.png', '002.png']
        text = page.path.read_text(encoding='utf-8')
        assert '2 of 6 images are gone or damaged' in text
        gone = [i for i in data_of(page)['images'] if i['picture'] is None]
        assert [image['name'] for image in gone] == page.missing
        assert all(image['instances'] for image in gone)

    @pytest.mark.parametrize('source', ['/nowhere/at all', '/nowhere/*.png', '0'])
    def test_all_are_gone(self, source, run, monkeypatch):
        opened = []
        monkeypatch.setattr('cv2.VideoCapture', opened.append)
        run.update(source=source)
        assert len(mmkp.view(run).missing) == 6
        assert opened == []  # no camera, for one

    def test_the_source_is_relative_to_where_the_run_was_made(
        self, run, tmp_path, monkeypatch
    ):
        shutil.copytree(run.source, tmp_path / 'photos')
        folder = tmp_path / 'runs/discover/photos'
        shutil.copytree(run.path, folder)
        there = Run(folder)
        there.update(source='photos')
        monkeypatch.chdir('/')
        assert mmkp.view(there).missing == []

    @pytest.mark.parametrize('kind', ['a list', 'a pattern', 'one image'])
    def test_of_other_sources(self, kind, run, tmp_path):
        photos = shutil.copytree(run.source, tmp_path / 'photos')
        source = {
            'a list': photos / 'list.txt',
            'a pattern': photos / '*.png',
            'one image': photos / '000.png',
        }[kind]
        (photos / 'list.txt').write_text('000.png\n')
        run.update(source=str(source))
        assert mmkp.view(run).missing == []

    def test_frames_of_a_film_evenly_spaced(self, run, tmp_path):
        film = tmp_path / 'grey.avi'
        writer = cv2.VideoWriter(
            str(film), cv2.VideoWriter.fourcc(*'MJPG'), 10, (48, 48)
        )
        for level in range(0, 210, 10):
            writer.write(np.full((48, 48, 3), level, np.uint8))
        writer.release()
        model = load_model(*tiny.trained(), 'cpu')
        predict_files(model, film, run.path, draw=False)
        run.update(source=str(film))
        page = mmkp.view(run, max_images=5)
        images = data_of(page)['images']
        levels = [picture_of(image).mean() for image in images]
        assert levels == pytest.approx([0, 50, 100, 150, 200], abs=4)
        assert [image['time'] for image in images] == pytest.approx([0, 0.5, 1, 1.5, 2])
        assert images[-1]['name'] == 'grey_000020'
        text = page.path.read_text(encoding='utf-8')
        assert '5 of 21 frames are here, evenly spaced.' in text

    def test_frames_of_a_damaged_film_are_gone(self, run, tmp_path):
        keypoints = run.keypoints
        for index, record in enumerate(keypoints['images']):
            record.update(image=f'cut_{index:06d}', time=index / 4)
        (run.path / 'keypoints.json').write_text(json.dumps(keypoints))
        (tmp_path / 'cut.mp4').write_bytes(b'\0\0\0\x20ftypisom' + bytes(99))
        run.update(source=str(tmp_path / 'cut.mp4'))
        assert len(mmkp.view(run).missing) == 6

    def test_they_fit_into_what_is_left_of_the_page(self, run, monkeypatch):
        whole = mmkp.view(run).num_bytes
        images = sum(
            len(image['picture']) for image in data_of(mmkp.view(run))['images']
        )
        most = whole - images // 3
        monkeypatch.setattr('mmkp.apis.view.MOST_BYTES', most)
        assert most - images // 3 < mmkp.view(run).num_bytes <= most

    @pytest.mark.slow
    def test_200_large_photographs_are_below_3_megabytes(self, run, data_dir, tmp_path):
        (record, *_) = run.keypoints['images']
        found = [*data_dir.glob('coco/val2017/*'), *data_dir.glob('coco/train2017/*')]
        for path in found[:200]:
            (tmp_path / path.name).symlink_to(path)
        keypoints = run.keypoints
        keypoints['images'] = [
            record | dict(image=path.name, width=640, height=480)
            for path in found[:200]
        ]
        (run.path / 'keypoints.json').write_text(json.dumps(keypoints))
        run.update(source=str(tmp_path))
        page = mmkp.view(run)
        assert page.num_images == 200 and not page.missing
        assert 2_500_000 < page.num_bytes < 3_000_000


class TestWhatIsKnown:
    def test_nothing_but_keypoints(self, run):
        data = data_of(mmkp.view(run))
        assert (data['run'], data['source']) == ('run', run.source)
        assert len(data['keypoints']) == 4
        for known in data['keypoints']:
            assert (known['name'], known['partner']) == (None, None)
            assert (known['score'], known['verdict']) == (None, '')
        # The learned edges of the largest weight, as many as there are keypoints.
        edges = sorted(run.keypoints['edges'], key=lambda edge: -edge['weight'])
        assert len(edges) == 6
        assert data['links'] == [edge['keypoints'] for edge in edges[:4]]

    def test_a_work_directory_of_a_training(self, run):
        (run.path / 'run.json').unlink()
        assert data_of(mmkp.view(run.path))['source'] == run.source

    def test_all(self, run):
        scores = [
            dict(score=0.25 * k, verdict='sits still' * (k == 2)) for k in (1, 2, 3)
        ]
        score = dict(score=0.5, sentence='score 0.50, good', keypoints=scores)
        (run.path / 'score.json').write_text(json.dumps(score))
        run.update(
            keypoint_names=['snout', '1', 'left ear', 'right ear'],
            swaps=[[2, 3]],
            links=[[0, 2], [0, 3], [0, 9]],
            command=['mmkp', 'discover', 'a photo'],
            figures=dict(minutes=2.34567, images=6, boxes='none', shape=[1, 2]),
        )
        page = mmkp.view(run)
        data, text = data_of(page), page.path.read_text(encoding='utf-8')
        names = [known['name'] for known in data['keypoints']]
        assert names == ['snout', None, 'left ear', 'right ear']
        partners = [known['partner'] for known in data['keypoints']]
        assert partners == [None, None, 3, 2]
        assert data['links'] == [[0, 2], [0, 3]]
        assert [known['score'] for known in data['keypoints']] == [
            0.25,
            0.5,
            0.75,
            None,
        ]
        assert data['keypoints'][1]['verdict'] == 'sits still'
        for told in ('score 0.50, good', 'mmkp discover &#39;a photo&#39;', '>2.346<'):
            assert told in text
        assert '[1, 2]' in text and '>none<' in text

    def test_corrections_are_kept_for_these_keypoints_only(self, run):
        first = data_of(mmkp.view(run))['key']
        assert data_of(mmkp.view(run))['key'] == first
        path = run.path / 'keypoints.json'
        path.write_text(path.read_text().replace('000.png', '00.png'))
        assert data_of(mmkp.view(run))['key'] != first

    def test_a_notebook_shows_a_link_and_some_images(self, run):
        html = mmkp.view(run)._repr_html_()
        assert f'href="{run.path.as_posix()}/report.html"' in html
        assert html.count('<svg') == html.count('data:image/webp') == 4
        assert html.count('<circle') == 16


class TestRefusals:
    def test_what_it_wrote_is_written_anew_and_nothing_else(self, run, tmp_path):
        mmkp.view(run)
        mmkp.view(run)
        (run.path / 'report.html').write_text('mine')
        with pytest.raises(
            FileExistsError, match=r"report\.html' exists: name another"
        ):
            mmkp.view(run)
        other = mmkp.view(run, out=tmp_path / 'new/page.html').path
        with pytest.raises(FileExistsError, match='give --overwrite'):
            mmkp.view(run, out=other)
        assert (run.path / 'report.html').read_text() == 'mine'
        assert mmkp.view(run, overwrite=True).path.stat().st_size > 10_000
        mmkp.view(run, out=other, overwrite=True)

    def test_no_keypoints(self, run):
        (run.path / 'keypoints.json').unlink()
        with pytest.raises(FileNotFoundError, match=r'has no keypoints\.json'):
            mmkp.view(run)
        assert not (run.path / 'report.html').exists()

    def test_a_folder_as_the_file(self, run):
        with pytest.raises(IsADirectoryError, match='give the name of a file'):
            mmkp.view(run, out=run.path)

    def test_no_image(self, run):
        with pytest.raises(ValueError, match='max_images is 0'):
            mmkp.view(run, max_images=0)


class TestCommand:
    def test_ends_with_the_path(self, run, capsys):
        main(['view', str(run.path), '--max-images', '2'])
        assert capsys.readouterr().out.splitlines()[-1] == f'{run.path}/report.html'

    def test_for_machines(self, run, capsys, tmp_path, monkeypatch):
        shown = []
        monkeypatch.setattr('webbrowser.open', shown.append)
        out = tmp_path / 'a page.html'
        main(['view', str(run.path), '-o', str(out), '--json', '--open'])
        told = json.loads(capsys.readouterr().out)
        assert told['path'] == str(out) and told['images'] == 6
        assert told['missing'] == [] and told['bytes'] == out.stat().st_size
        assert shown == [out.as_uri()]

    def test_tells_mistakes_in_a_sentence(self, tmp_path, capsys):
        with pytest.raises(SystemExit) as stopped:
            main(['view', str(tmp_path / 'none')])
        assert stopped.value.code == 2
        told = capsys.readouterr().err
        assert told == f"error: '{tmp_path / 'none'}' is no folder of a run\n"
