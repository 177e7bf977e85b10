"""The Alembic environment of the shop; the SDK connects and runs it."""

import tochka_shop.catalogue.models
import tochka_shop.orders.models
import tochka_shop.settings.models  # noqa: F401  the three imports fill the metadata
from tochka_sdk import migrations
from tochka_shop.tables import Model

migrations.environment(Model.metadata)
