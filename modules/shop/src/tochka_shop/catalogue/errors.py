"""What can go wrong on the shelves; each `code` has a sentence in every language."""

from tochka_sdk.errors import Conflict, Forbidden, NotFound


class ProductNotFound(NotFound):
    """No such product in this shop."""

    code = "catalogue.product_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such product.")


class CategoryNotFound(NotFound):
    """No such category in this shop."""

    code = "catalogue.category_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such category.")


class PictureNotFound(NotFound):
    """No such picture in this shop."""

    code = "catalogue.picture_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such picture.")


class ProductLimitReached(Forbidden):
    """The license allows no more products."""

    code = "catalogue.product_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The plan allows {limit} products.", limit=limit)


class PictureLimitReached(Conflict):
    """The product has all the pictures that it may have."""

    code = "catalogue.picture_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A product has at most {limit} pictures.", limit=limit)


class CategoryLimitReached(Conflict):
    """The shop has all the categories that fit into its navigation."""

    code = "catalogue.category_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A shop has at most {limit} categories.", limit=limit)
