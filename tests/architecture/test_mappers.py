"""What the mapped tables must be like: nothing loads by itself, nothing crosses a slice."""

import pytest
from sqlalchemy.orm import DeclarativeBase, configure_mappers
from tochka_core.metadata import BASE as CORE
from tochka_shop.catalogue import models as _catalogue
from tochka_shop.orders import models as _orders
from tochka_shop.settings import models as _settings
from tochka_shop.tables import Model

SHOP_MODELS = (_catalogue, _orders, _settings)

BASES = pytest.mark.parametrize("base", [CORE, Model], ids=["core", "shop"])


def _slice(model: type) -> str:
    return model.__module__.rpartition(".")[0]


@BASES
def test_no_relation_loads_by_itself(base: type[DeclarativeBase]) -> None:
    configure_mappers()
    lazy = [
        f"{mapper.class_.__name__}.{relation.key}"
        for mapper in base.registry.mappers
        for relation in mapper.relationships
        if relation.lazy not in {"raise", "raise_on_sql"}
    ]
    assert lazy == []


@BASES
def test_no_relation_crosses_a_slice(base: type[DeclarativeBase]) -> None:
    configure_mappers()
    crossing = [
        f"{mapper.class_.__name__}.{relation.key}"
        for mapper in base.registry.mappers
        for relation in mapper.relationships
        if _slice(mapper.class_) != _slice(relation.mapper.class_)
    ]
    assert crossing == []
