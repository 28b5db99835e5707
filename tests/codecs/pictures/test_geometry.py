"""The geometry of codecs that deliver other pictures than their sources."""

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pictures.geometry import Geometry, geometry_of, reshaping_of

HEIGHT, WIDTH = 30, 40


def test_a_plain_codec_changes_nothing():
    geometry = geometry_of(Jpeg(), (HEIGHT, WIDTH))
    assert geometry == Geometry((HEIGHT, WIDTH), (0, 0, WIDTH, HEIGHT), (HEIGHT, WIDTH))
    assert geometry.same
    assert not geometry.cropped


def test_a_smaller_picture_of_the_whole_source_is_not_cropped():
    geometry = Geometry((HEIGHT, WIDTH), (0, 0, WIDTH, HEIGHT), (15, 20))
    assert (geometry.same, geometry.cropped) == (False, False)


def test_a_part_of_the_source_is_cropped_at_any_size():
    for delivered in ((30, 40), (15, 20)):
        geometry = Geometry((HEIGHT, WIDTH), (5, 0, WIDTH, HEIGHT), delivered)
        assert (geometry.same, geometry.cropped) == (False, True)


def test_a_codec_that_reshapes_says_how():
    class Halving:
        def geometry(self, size):
            height, width = size
            return Geometry(size, (0, 0, width, height), (height // 2, width // 2))

        def reshaped(self, images, workers=1):
            return list(images)

    assert geometry_of(Halving(), (HEIGHT, WIDTH)).delivered == (15, 20)


def test_codecs_that_reshape_alike_say_the_same():
    class Thumbnail:
        def __init__(self, quality, reshaping):
            self.quality = quality
            if reshaping is not None:
                self.reshaping = reshaping

        def __repr__(self):
            return f"Thumbnail({self.quality})"

        def geometry(self, size):
            return Geometry.unchanged(size)

        def reshaped(self, images, workers=1):
            return list(images)

    assert reshaping_of(Jpeg()) == ""
    assert reshaping_of(Thumbnail(75, "half")) == reshaping_of(Thumbnail(50, "half")) == "half"
    assert reshaping_of(Thumbnail(75, "")) == ""
    assert reshaping_of(Thumbnail(75, None)) == "Thumbnail(75)"
