"""Why a picture is refused; each `code` has a sentence in every language.

Malformed (422)
├── PictureEmpty            nothing was chosen
├── PictureTooHeavy         more bytes than we read
├── PictureNotAPicture      the content is not JPEG, PNG or WebP, whatever the name says
├── PictureHidesSomething   a picture with a page, a script or an archive inside
├── PictureTooLarge         more pixels than we decode
├── PictureOddShape         a stripe, or too small to be of use
└── PictureBroken           cut short, or its parts do not fit together

PictureMissing (404)        no such picture in this shop
PicturesBusy (503)          too many are being worked on already
"""

from tochka_sdk.errors import Malformed, NotFound, Unavailable


class PictureRefused(Malformed):
    """Any of the reasons below."""

    code = "pictures.refused"
    sentence = "This picture cannot be used."

    def __init__(self) -> None:
        super().__init__(self.sentence)


class PictureEmpty(PictureRefused):
    """Nothing was chosen."""

    code = "pictures.empty"
    sentence = "Choose a picture."


class PictureTooHeavy(PictureRefused):
    """More bytes than we read."""

    code = "pictures.too_heavy"
    sentence = "The picture is heavier than 10 MB."


class PictureNotAPicture(PictureRefused):
    """The content is not JPEG, PNG or WebP, whatever the name says."""

    code = "pictures.not_a_picture"
    sentence = "Only JPEG, PNG and WebP pictures are accepted."


class PictureHidesSomething(PictureRefused):
    """A picture with a page, a script or an archive inside."""

    code = "pictures.hides_something"
    sentence = "There is something besides a picture in this file."


class PictureTooLarge(PictureRefused):
    """More pixels than we decode."""

    code = "pictures.too_large"
    sentence = "The picture has more than 40 megapixels."


class PictureOddShape(PictureRefused):
    """A stripe, or too small to be of use."""

    code = "pictures.odd_shape"
    sentence = "The picture is too small or too narrow."


class PictureBroken(PictureRefused):
    """Cut short, or its parts do not fit together."""

    code = "pictures.broken"
    sentence = "The picture is damaged."


class PictureMissing(NotFound):
    """No such picture in this shop."""

    code = "pictures.missing"

    def __init__(self) -> None:
        super().__init__("There is no such picture.")


class PicturesBusy(Unavailable):
    """Too many uploads are being worked on: whoever came now would wait too long for an answer."""

    code = "pictures.busy"

    def __init__(self) -> None:
        super().__init__(
            "Too many pictures are being processed. Please try again in a moment.", retry_after=3
        )
